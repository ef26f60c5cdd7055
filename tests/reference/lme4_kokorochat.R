# Reference values from R's lme4 on KokoroChat's session ratings (408 counsellors crossed with 334 clients).
# From the repository's root:
#
#     Rscript tests/reference/lme4_kokorochat.R
#
# reads ../shared/data/kokorochat_ratings.csv (made from KokoroChat, Qi et al., ACL 2025, CC BY-NC-ND 4.0:
# never committed) and writes tests/reference/lme4_kokorochat.json: estimates only, nothing about one person.

source("tests/reference/tight.R")

RATINGS <- "../shared/data/kokorochat_ratings.csv"
REFERENCE <- "tests/reference/lme4_kokorochat.json"
LEVELS <- "(1 | counselor_id) + (1 | client_id) + (1 | dyad)"
TIME_BASES <- list(
  log2 = "log2(session_number)",
  linear = "session_number",
  bounded = "I(1 - 1/session_number)"
)

if (!file.exists(RATINGS)) {
  message("No ", RATINGS, " here: nothing done.")
  quit(status = 0)
}
ratings <- read.csv(RATINGS)
ratings$dyad <- factor(paste(ratings$counselor_id, ratings$client_id, sep = "-"))

formula_over <- function(basis) paste("score_total ~", TIME_BASES[[basis]], "+", LEVELS)

estimates_of <- function(basis, reml) {
  formula <- formula_over(basis)
  fit <- fit_tightly(as.formula(formula), ratings, reml)
  message(sprintf("%-8s %-4s %.6f", basis, if (reml) "REML" else "ML", logLik(fit$model)))
  described <- describe(fit, formula, basename(RATINGS), ratings, reml)
  described[c("fitted", "effects_listed", "effects")] <- NULL # about persons
  variances <- c(sapply(VarCorr(fit$model), as.numeric), residual = sigma(fit$model)^2)
  described$variances <- as.list(variances)
  described$shares <- as.list(variances / sum(variances))
  described
}

started <- proc.time()[["elapsed"]]
usual <- as.formula(formula_over("log2"))
reference <- list(
  command = "Rscript tests/reference/lme4_kokorochat.R",
  versions = versions(),
  cases = list(
    log2_reml = estimates_of("log2", reml = TRUE),
    log2_ml = estimates_of("log2", reml = FALSE),
    linear_ml = estimates_of("linear", reml = FALSE),
    bounded_ml = estimates_of("bounded", reml = FALSE)
  ),
  profile_intervals = list(log2 = list(
    formula = formula_over("log2"), reml = FALSE, level = 0.95,
    confint = profile_of(usual, ratings),
    exact_sd = exact_profile_of(usual, ratings)
  ))
)
message(sprintf("%.0f s", proc.time()[["elapsed"]] - started))
write_reference(reference, REFERENCE)
