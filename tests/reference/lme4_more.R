# More reference values from R's lme4: deeper nesting, crossed lines, weights. From the repository's root:
#
#     Rscript tests/reference/lme4_more.R
#
# reads tests/reference/data/{deep,transfers,wide,ar1}.csv (by make_more_data.py) and writes
# tests/reference/lme4_more.json, whose cases read as those of lme4.json do.

source("tests/reference/tight.R")

HERE <- "tests/reference"

MODELS <- list(
  deep_client_slopes = list(
    "deep.csv", "score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist) + (1 | clinic)"
  ),
  deep_slopes_of_both = list(
    "deep.csv",
    paste(
      "score ~ log2(session) + (1 + log2(session) | client) + (1 + log2(session) | therapist)",
      "+ (1 | clinic)"
    )
  ),
  transfers_client_slopes = list(
    "transfers.csv", "score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist)"
  ),
  transfers_dyads = list(
    "transfers.csv", "score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist) + (1 | dyad)"
  ),
  wide_slopes_of_both = list(
    "wide.csv", "score ~ log2(session) + (1 + log2(session) | client) + (1 + log2(session) | therapist)"
  ),
  wide_dyads = list(
    "wide.csv",
    paste(
      "score ~ log2(session) + (1 + log2(session) | client) + (1 + log2(session) | therapist)",
      "+ (1 | dyad)"
    )
  ),
  weighted = list("ar1.csv", "yw ~ log2(session) + (1 + log2(session) | client)", "weight")
)

case_of <- function(name, reml) {
  file <- MODELS[[name]][[1]]
  formula <- MODELS[[name]][[2]]
  frame <- read.csv(file.path(HERE, "data", file), stringsAsFactors = TRUE)
  weight <- if (length(MODELS[[name]]) == 3) MODELS[[name]][[3]]
  weights <- if (!is.null(weight)) frame[[weight]]
  fit <- fit_tightly(as.formula(formula), frame, reml, weights = weights)
  message(sprintf("%-24s %-4s %.6f", name, if (reml) "REML" else "ML", logLik(fit$model)))
  described <- describe(fit, formula, file, frame, reml, every_level = FALSE, weights = weights)
  if (!is.null(weight)) described <- append(described, list(weights = weight), after = 2)
  described
}

cases <- list()
for (name in names(MODELS)) {
  cases[[paste0(name, "_reml")]] <- case_of(name, reml = TRUE)
  cases[[paste0(name, "_ml")]] <- case_of(name, reml = FALSE)
}

write_reference(
  list(command = "Rscript tests/reference/lme4_more.R", versions = versions(), cases = cases),
  file.path(HERE, "lme4_more.json")
)
