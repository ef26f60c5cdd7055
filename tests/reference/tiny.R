# How far lme4 gets on 300 tiny practices, two thirds of whose fits lie on the boundary. From the repository's root:
#
#     Rscript tests/reference/tiny.R
#
# reads tests/reference/data/tiny.csv.gz (by make_more_data.py) and writes tests/reference/tiny.json: for each
# practice the best REML log-likelihood of many runs (three optimisers, eight starts), and that of lmer() as
# anybody calls it. An engine that asks for less than the best has been caught by a local optimum.

source("tests/reference/tight.R")

HERE <- "tests/reference"
FORMULA <- "y ~ log(session) + (1 + log(session) | client)"
STARTS <- list( # theta: level, slope on level, rest of slope; relative to sigma
  c(1, 0, 1), c(0.2, 0, 0.2), c(3, 0.2, 3), c(0.05, 0, 0.5), c(1, -0.3, 0.05), c(1, 0.5, 0.05), c(0.3, 1, 0.05),
  c(0.3, -1, 0.05)
)
UNCHECKED <- lmerControl(check.conv.singular = "ignore", check.nobs.vs.nRE = "ignore", calc.derivs = FALSE)
REPEATED <- 1e-6 # the best must be found twice

by_nloptwrap <- function(criterion, start, lower, scale) {
  found <- nloptwrap(start, criterion, lower = lower, upper = rep(Inf, length(start)), control = list(
    xtol_abs = 1e-10, ftol_abs = 1e-12, maxeval = 5000
  ))
  list(optimiser = "lme4::nloptwrap", start_scale = scale, criterion = found$fval, theta = found$par + 0)
}

practice_of <- function(frame) {
  lme4s <- criterion_of(as.formula(FORMULA), frame, reml = TRUE)
  runs <- do.call(c, lapply(seq_along(STARTS), function(i) {
    lapply(list(by_bobyqa, by_nlminb, by_nloptwrap), function(by) {
      by(lme4s$criterion, STARTS[[i]], lme4s$lower, i)
    })
  }))
  criteria <- sapply(runs, `[[`, "criterion")
  theta <- runs[[which.min(criteria)]]$theta
  at_zero <- is.finite(lme4s$lower) & theta < 2e-3
  snapped <- lme4s$criterion(replace(theta, at_zero, 0))
  best <- min(criteria, snapped)
  usual <- suppressMessages(suppressWarnings(lmer(as.formula(FORMULA), frame, control = UNCHECKED)))
  list(
    practice = frame$practice[1],
    rows = nrow(frame),
    log_likelihood = -best / 2,
    log_likelihood_by_default = as.numeric(logLik(usual)),
    singular = snapped < best + 1e-8 && any(at_zero),
    singular_by_default = isSingular(usual, tol = 1e-4),
    confirmed_by = sum(criteria < best + REPEATED) # of 24 runs
  )
}

tiny <- read.csv(file.path(HERE, "data", "tiny.csv.gz"))
tiny$client <- factor(tiny$client)
practices <- do.call(rbind, lapply(split(tiny, tiny$practice), function(frame) {
  as.data.frame(practice_of(droplevels(frame)))
}))
stopifnot(practices$confirmed_by >= 2)
short <- practices$log_likelihood - practices$log_likelihood_by_default
message(sprintf(
  paste(
    "%d practices, %d singular; lmer() by default is short by > 1e-6 in %d, > 1e-3 in %d, at most %.4f;",
    "at least %d of 24 agree"
  ),
  nrow(practices), sum(practices$singular), sum(short > 1e-6), sum(short > 1e-3), max(short),
  min(practices$confirmed_by)
))

write_reference(
  list(
    command = "Rscript tests/reference/tiny.R",
    versions = c(versions(), nloptr = version_of("nloptr")),
    formula = FORMULA,
    data = "tiny.csv.gz",
    reml = TRUE,
    practices = practices
  ),
  file.path(HERE, "tiny.json")
)
