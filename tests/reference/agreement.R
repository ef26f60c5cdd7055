# Reference values from R's lme4: truth and bias of a therapist's guesses. From the repository's root:
#
#     Rscript tests/reference/agreement.R
#
# reads tests/reference/data/guesses.csv (by make_guesses_data.py) and writes tests/reference/agreement.json.

source("tests/reference/tight.R")

HERE <- "tests/reference"

frame <- read.csv(file.path(HERE, "data", "guesses.csv"))
frame$dyad <- factor(paste(frame$therapist, frame$client))
center <- ave(frame$score, frame$dyad)
frame$gap <- frame$guess - center
frame$answer <- frame$score - center

MODELS <- list(
  dyads = "gap ~ answer + (1 + answer | dyad)",
  dyads_in_therapists = "gap ~ answer + (1 + answer | dyad) + (1 + answer | therapist)"
)

case_of <- function(formula) {
  fit <- fit_tightly(as.formula(formula), frame, TRUE)
  model <- fit$model
  dyads <- coef(model)$dyad
  list(
    formula = formula, log_likelihood = as.numeric(logLik(model)),
    fixed = as.list(fixef(model)), se = as.list(sqrt(diag(as.matrix(vcov(model))))),
    sigma = sigma(model), sd_dyad = as.list(attr(VarCorr(model)$dyad, "stddev")),
    dyad = rownames(dyads), bias = unname(dyads[["(Intercept)"]]), tracking = unname(dyads[["answer"]])
  )
}

write_reference(
  list(command = "Rscript tests/reference/agreement.R", versions = versions(), cases = lapply(MODELS, case_of)),
  file.path(HERE, "agreement.json")
)
