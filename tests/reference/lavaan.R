# Reference values from R's lavaan for the cross-lagged model's tests. From the repository's root:
#
#     Rscript tests/reference/lavaan.R
#
# reads tests/reference/data/crosslag*.csv (by make_crosslag_data.py) and writes tests/reference/lavaan.json.
# On Debian: apt-get install r-cran-lavaan r-cran-jsonlite

source("tests/reference/riclpm.R")
library(jsonlite)

HERE <- "tests/reference"
DIGITS <- 12
TERMS <- c(x_to_y = "xy", y_to_x = "yx", x_to_x = "xx", y_to_y = "yy")

case_of <- function(file, means) {
  wide <- wide_of(file.path(HERE, "data", file))
  fit <- fitted_by("MLR", wide, means) # for the robust standard errors
  normal <- fitted_by("ML", wide, means)
  stopifnot(lavInspect(fit, "converged"))
  estimate <- coef(fit)
  robust <- sqrt(diag(vcov(fit)))
  errors <- sqrt(diag(vcov(normal)))
  first <- function(values, label) unname(values[names(values) == label][1])
  matrix_of <- function(letter) {
    entry <- function(which) first(estimate, paste0(letter, which))
    matrix(c(entry("xx"), entry("xy"), entry("xy"), entry("yy")), 2)
  }
  message(sprintf("%-22s %-6s %.6f", file, means, logLik(fit)))
  list(
    data = file, means = means, log_likelihood = as.numeric(logLik(fit)),
    parameters = attr(logLik(fit), "df"),
    clients = lavInspect(fit, "nobs"),
    estimates = lapply(TERMS, function(label) first(estimate, label)),
    se = lapply(TERMS, function(label) first(errors, label)),
    robust_se = lapply(TERMS, function(label) first(robust, label)),
    between = matrix_of("b"), innovation = matrix_of("q"), first = matrix_of("p")
  )
}

cases <- list()
for (file in c("crosslag.csv", "crosslag_missing.csv")) {
  for (means in c("common", "free")) {
    cases[[paste0(sub(".csv", "", file), "_", means)]] <- case_of(file, means)
  }
}

write_json(
  list(
    command = "Rscript tests/reference/lavaan.R",
    versions = list(R = as.character(getRversion()), lavaan = as.character(packageVersion("lavaan"))),
    cases = cases
  ),
  file.path(HERE, "lavaan.json"),
  digits = I(DIGITS), auto_unbox = TRUE, pretty = 1
)
