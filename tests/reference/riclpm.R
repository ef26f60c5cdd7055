# The random-intercept cross-lagged panel model in lavaan's syntax. Sourced by lavaan.R and by
# benchmarks/bench_crosslag.py, never run alone.

suppressPackageStartupMessages(library(lavaan))

wide_of <- function(file) {
  long <- read.csv(file, na.strings = "")
  names(long)[names(long) == "connection"] <- "x"
  names(long)[names(long) == "outcome"] <- "y"
  reshape(long, idvar = "client", timevar = "session", direction = "wide", sep = "")
}

# Hamaker, Kuiper & Grasman (2015), with lagged coefficients and innovations the same at all sessions.
syntax_of <- function(sessions, means) {
  each <- seq_len(sessions)
  later <- each[-1]
  intercept <- if (means == "free") c("x%d ~ 1", "y%d ~ 1") else c("x%d ~ mx * 1", "y%d ~ my * 1")
  paste(c(
    paste("bx =~", paste0("1 * x", each, collapse = " + ")),
    paste("by =~", paste0("1 * y", each, collapse = " + ")),
    sprintf("wx%d =~ 1 * x%d", each, each), sprintf("wy%d =~ 1 * y%d", each, each),
    sprintf("x%d ~~ 0 * x%d", each, each), sprintf("y%d ~~ 0 * y%d", each, each),
    sprintf("wx%d ~ xx * wx%d + yx * wy%d", later, later - 1, later - 1),
    sprintf("wy%d ~ xy * wx%d + yy * wy%d", later, later - 1, later - 1),
    "wx1 ~~ start(1) * wx1 + pxx * wx1 + pxy * wy1", "wy1 ~~ start(1) * wy1 + pyy * wy1",
    sprintf("wx%d ~~ start(1) * wx%d + qxx * wx%d + qxy * wy%d", later, later, later, later),
    sprintf("wy%d ~~ start(1) * wy%d + qyy * wy%d", later, later, later),
    "bx ~~ start(1) * bx + bxx * bx + bxy * by", "by ~~ start(1) * by + byy * by",
    "bx ~~ 0 * wx1 + 0 * wy1", "by ~~ 0 * wx1 + 0 * wy1",
    sprintf(intercept[1], each), sprintf(intercept[2], each)
  ), collapse = "\n")
}

# nlminb's own tolerance leaves a gradient of 1e-7; a tighter one makes it complain of its rounding.
fitted_by <- function(estimator, wide, means) {
  sessions <- sum(grepl("^x[0-9]", names(wide)))
  lavaan(
    syntax_of(sessions, means), wide,
    missing = "fiml", estimator = estimator, information = "observed", baseline = FALSE
  )
}
