# Reference values from R's lme4 for the engine's tests. From the repository's root:
#
#     Rscript tests/reference/lme4.R
#
# reads tests/reference/data/*.csv (by make_data.py) and writes tests/reference/lme4.json.
# On Debian: apt-get install r-cran-lme4 r-cran-minqa r-cran-numderiv r-cran-jsonlite

source("tests/reference/tight.R")

HERE <- "tests/reference"

MODELS <- list(
  dyestuff = list("dyestuff_like.csv", "yield ~ 1 + (1 | batch)"),
  sleepstudy = list("sleepstudy_like.csv", "reaction ~ 1 + days + (1 + days | subject)"),
  sleepstudy_two_terms = list(
    "sleepstudy_like.csv", "reaction ~ days + (1 | subject) + (0 + days | subject)"
  ),
  sleepstudy_double_bar = list("sleepstudy_like.csv", "reaction ~ days + (1 + days || subject)"),
  nested_client_slopes = list(
    "nested.csv", "score ~ log2(session) + severity + (1 + log2(session) | client) + (1 | therapist)"
  ),
  nested_slopes_of_both = list(
    "nested.csv", "score ~ log2(session) + (1 + log2(session) | client) + (1 + log2(session) | therapist)"
  ),
  nested_slash = list("nested.csv", "score ~ log2(session) + (1 | therapist/client_in)"),
  nested_interaction = list(
    "nested.csv",
    paste(
      "score ~ log2(session) + severity + severity:log2(session)",
      "+ (1 + log2(session) | client) + (1 | therapist)"
    )
  ),
  crossed = list("crossed.csv", "score ~ log2(session) + (1 | therapist) + (1 | client) + (1 | dyad)"),
  crossed_setting = list("crossed.csv", "score ~ setting + log2(session) + (1 | client) + (1 | therapist)"),
  singular_slope = list("singular.csv", "score ~ x + (1 + x | client)"),
  singular_double_bar = list("singular.csv", "score ~ x + (1 + x || client)"),
  singular_room = list("singular.csv", "score ~ x + (1 | client) + (1 | room)"),
  missing_score_and_severity = list(
    "missing.csv", "score ~ log2(session) + severity + (1 + log2(session) | client) + (1 | therapist)"
  ),
  missing_setting = list(
    "missing.csv", "score ~ setting + log2(session) + severity + (1 | client) + (1 | therapist)"
  )
)
PROFILED <- c("dyestuff", "crossed")
EVERY_LEVEL_IN <- c("dyestuff_like.csv", "sleepstudy_like.csv", "singular.csv")

frame_of <- function(file) {
  read.csv(file.path(HERE, "data", file), na.strings = "", stringsAsFactors = TRUE)
}

case_of <- function(name, reml) {
  file <- MODELS[[name]][[1]]
  formula <- MODELS[[name]][[2]]
  frame <- frame_of(file)
  fit <- fit_tightly(as.formula(formula), frame, reml)
  message(sprintf("%-28s %-4s %.6f", name, if (reml) "REML" else "ML", logLik(fit$model)))
  describe(fit, formula, file, frame, reml, every_level = file %in% EVERY_LEVEL_IN)
}

interval_of <- function(name) {
  file <- MODELS[[name]][[1]]
  formula <- MODELS[[name]][[2]]
  list(
    formula = formula, data = file, reml = FALSE, level = 0.95,
    confint = profile_of(as.formula(formula), frame_of(file)),
    exact_sd = exact_profile_of(as.formula(formula), frame_of(file))
  )
}

cases <- list()
for (name in names(MODELS)) {
  cases[[paste0(name, "_reml")]] <- case_of(name, reml = TRUE)
  cases[[paste0(name, "_ml")]] <- case_of(name, reml = FALSE)
}

# The same model in two notations must be the same model.
stopifnot(all.equal(
  cases$sleepstudy_two_terms_reml$log_likelihood, cases$sleepstudy_double_bar_reml$log_likelihood,
  tolerance = 1e-12
))

write_reference(
  list(
    command = "Rscript tests/reference/lme4.R",
    versions = versions(),
    cases = cases,
    profile_intervals = setNames(lapply(PROFILED, interval_of), PROFILED)
  ),
  file.path(HERE, "lme4.json")
)
