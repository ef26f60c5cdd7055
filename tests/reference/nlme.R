# Reference values from R's nlme: residuals that remember, and residuals of two sizes. From the repository's root:
#
#     Rscript tests/reference/nlme.R
#
# reads tests/reference/data/ar1.csv (by make_more_data.py) and writes tests/reference/nlme.json.
# On Debian: apt-get install r-cran-nlme r-cran-lme4 r-cran-minqa r-cran-numderiv r-cran-jsonlite
#
# nlme's optimiser stops in the sixth digit. So the same likelihood is written out here, client by client with
# dense matrices; it must equal nlme's at nlme's own estimates (1e-8, or the script stops), and its best point of
# several starts is polished by Newton steps. The model of a client's scores is
#
#     y = X beta + Z b + e,   b ~ N(0, sigma^2 L L'),   e ~ N(0, sigma^2 S R S),
#
# where R[t, u] = phi^|session_t - session_u| and S = diag(ratio^phase): the correlation is that of the
# standardised residuals, as in nlme. Parameters are theta (L's lower triangle by columns), phi and ratio; beta
# and sigma are profiled out.

source("tests/reference/tight.R")
library(nlme, exclude = "lmList")

HERE <- "tests/reference"
FRAME <- read.csv(file.path(HERE, "data", "ar1.csv"), stringsAsFactors = TRUE)
AGREES <- 1e-8 # of the log-likelihood
PATIENT <- lmeControl(
  maxIter = 1000, msMaxIter = 1000, msMaxEval = 5000, tolerance = 1e-10, msTol = 1e-12, niterEM = 50,
  opt = "nlminb", returnObject = TRUE
)

MODELS <- list(
  plain = list(response = "y", memory = FALSE, phases = FALSE),
  memory = list(response = "y", memory = TRUE, phases = FALSE),
  phases = list(response = "y2", memory = FALSE, phases = TRUE),
  memory_and_phases = list(response = "y_both", memory = TRUE, phases = TRUE)
)

# ---- nlme --------------------------------------------------------------------------------------------------

# Starts differ in phi only: lme() begins the random effects by EM steps of its own.
by_nlme <- function(model, reml) {
  fits <- lapply(if (model$memory) c(0.1, 0.4, 0.7) else 0, function(phi) {
    do.call(lme, list(
      as.formula(paste(model$response, "~ log2(session)")),
      random = ~ log2(session) | client, data = FRAME, method = if (reml) "REML" else "ML", control = PATIENT,
      correlation = if (model$memory) corCAR1(phi, form = ~ session | client),
      weights = if (model$phases) varIdent(form = ~ 1 | phase)
    ))
  })
  fits[[which.max(sapply(fits, logLik))]]
}

parameters_of <- function(fit) {
  L <- t(chol(as.matrix(fit$modelStruct$reStruct$client)))
  c(
    L[lower.tri(L, diag = TRUE)],
    phi = if (!is.null(fit$modelStruct$corStruct)) unname(coef(fit$modelStruct$corStruct, unconstrained = FALSE)),
    ratio = if (!is.null(fit$modelStruct$varStruct)) ratio_of(fit$modelStruct$varStruct)
  )
}

ratio_of <- function(structure) {
  scales <- coef(structure, unconstrained = FALSE, allCoef = TRUE)
  scales[["1"]] / scales[["0"]]
}

# ---- the same likelihood, written out ------------------------------------------------------------------------

fit_at <- function(par, model, reml) {
  L <- matrix(c(par[1:2], 0, par[3]), 2)
  phi <- if (model$memory) par[4] else 0
  ratio <- if (model$phases) par[length(par)] else 1
  clients <- split(seq_len(nrow(FRAME)), FRAME$client)
  halves <- lapply(clients, function(rows) {
    session <- FRAME$session[rows]
    Z <- cbind(1, log2(session))
    scale <- ratio^FRAME$phase[rows]
    R <- if (phi == 0) diag(length(rows)) else phi^abs(outer(session, session, "-"))
    V <- tcrossprod(Z %*% L) + R * outer(scale, scale)
    half <- backsolve(chol(V), cbind(Z, FRAME[[model$response]][rows]), transpose = TRUE)
    list(products = crossprod(half), log_determinant = as.numeric(determinant(V)$modulus))
  })
  whole <- Reduce(`+`, lapply(halves, `[[`, "products")) # of [X y], for here X is Z
  log_determinant <- sum(sapply(halves, `[[`, "log_determinant"))
  XX <- whole[1:2, 1:2]
  beta <- solve(XX, whole[1:2, 3])
  rows <- nrow(FRAME)
  degrees <- if (reml) rows - 2 else rows
  sigma <- sqrt((whole[3, 3] - sum(whole[1:2, 3] * beta)) / degrees)
  restricted <- if (reml) as.numeric(determinant(XX)$modulus) else 0
  list(
    criterion = log_determinant + degrees * (1 + log(2 * pi * sigma^2)) + restricted,
    beta = beta, beta_covariance = sigma^2 * solve(XX), sigma = sigma, L = L, phi = phi, ratio = ratio
  )
}

effects_at <- function(fit, model) {
  clients <- head(sort(levels(FRAME$client)), 10)
  setNames(lapply(clients, function(client) {
    rows <- which(FRAME$client == client)
    session <- FRAME$session[rows]
    Z <- cbind(1, log2(session))
    scale <- fit$ratio^FRAME$phase[rows]
    R <- if (fit$phi == 0) diag(length(rows)) else fit$phi^abs(outer(session, session, "-"))
    G <- tcrossprod(fit$L)
    H <- G %*% t(Z) %*% solve(Z %*% G %*% t(Z) + R * outer(scale, scale))
    value <- H %*% (FRAME[[model$response]][rows] - Z %*% fit$beta)
    covariance <- fit$sigma^2 * (G - H %*% Z %*% G)
    named <- function(x) setNames(as.list(x), c("(Intercept)", "log2(session)"))
    list(value = named(value), sd = named(sqrt(diag(covariance))), covariance = covariance[1, 2])
  }), clients)
}

# ---- describe ------------------------------------------------------------------------------------------------

case_of <- function(name, reml) {
  model <- MODELS[[name]]
  nlmes <- by_nlme(model, reml)
  par <- parameters_of(nlmes)
  criterion <- function(par) fit_at(par, model, reml)$criterion
  stopifnot(abs(criterion(par) + 2 * as.numeric(logLik(nlmes))) < AGREES)
  more <- c(phi = if (model$memory) 0.2, ratio = if (model$phases) 1)
  lower <- c(0, -Inf, 0, if (model$memory) 1e-6, if (model$phases) 1e-3)
  upper <- c(Inf, Inf, Inf, if (model$memory) 1 - 1e-6, if (model$phases) Inf)
  starts <- list(c(1, 0, 1, more), c(0.2, 0.1, 0.2, more), c(3, -0.5, 1, more), par)
  runs <- lapply(starts, nlminb,
    objective = criterion, lower = lower, upper = upper, control = list(rel.tol = 1e-14, x.tol = 1e-10)
  )
  best <- runs[[which.min(sapply(runs, `[[`, "objective"))]]$par
  polished <- polish(criterion, best, replace(lower, lower > 0, -Inf))
  fit <- fit_at(polished$theta, model, reml)
  message(sprintf("%-20s %-4s %.6f", name, if (reml) "REML" else "ML", -fit$criterion / 2))
  effects <- effects_at(fit, model)
  of_nlme <- as.matrix(ranef(nlmes)[names(effects), ])
  stopifnot(max(abs(of_nlme - t(sapply(effects, function(e) unlist(e$value))))) < 1e-4)

  columns <- c("(Intercept)", "log2(session)")
  parameters <- 3 + length(polished$theta)
  G <- fit$sigma^2 * tcrossprod(fit$L)
  degrees <- nrow(FRAME) - if (reml) 2 else 0 # nlme's bic; lme4's takes all rows
  list(
    formula = paste(model$response, "~ log2(session) + (1 + log2(session) | client)"),
    correlation = if (model$memory) "corCAR1(form = ~ session | client)",
    variance = if (model$phases) "varIdent(form = ~ 1 | phase)",
    data = "ar1.csv",
    reml = reml,
    rows_used = nrow(FRAME),
    parameters = parameters,
    criterion = fit$criterion,
    log_likelihood = -fit$criterion / 2,
    aic = fit$criterion + 2 * parameters,
    bic = fit$criterion + log(nrow(FRAME)) * parameters,
    bic_of_nlme = fit$criterion + log(degrees) * parameters,
    fixed = setNames(lapply(1:2, function(i) {
      list(estimate = fit$beta[i], se = sqrt(fit$beta_covariance[i, i]))
    }), columns),
    fixed_covariance = fit$beta_covariance,
    sigma = fit$sigma,
    phi = if (model$memory) fit$phi,
    sd_ratio = if (model$phases) fit$ratio,
    theta = setNames(as.list(unname(polished$theta[1:3])), c(
      "client.(Intercept)", "client.log2(session).(Intercept)", "client.log2(session)"
    )),
    random = list(list(
      group = "client", columns = columns, levels = nlevels(FRAME$client),
      variance = setNames(as.list(diag(G)), columns), sd = setNames(as.list(sqrt(diag(G))), columns),
      covariance = G, correlation = cov2cor(G)
    )),
    effects_listed = "first 10 levels of each group, sorted as text",
    effects = list(client = effects),
    criterion_at = lapply(list(c(1, 0, 1), c(0.4, -0.1, 0.4), c(1.7, 0.3, 1.7)), function(theta) {
      phi <- if (model$memory) 0.1 + 0.2 * theta[1]
      ratio <- if (model$phases) 1 / theta[1]
      at <- c(theta, phi, ratio)
      list(theta = theta, phi = phi, sd_ratio = ratio, criterion = criterion(at))
    }),
    nlme = nlme_at_its_own(nlmes, polished, fit),
    search = list(
      gradient_left = signif(polished$gradient, 1),
      runs = length(runs),
      stuck = sum(sapply(runs, `[[`, "objective") - fit$criterion > 1e-6)
    )
  )
}

# What lme() itself reports, and how far from the best point it stopped. `se_adjusted` is what its summary shows:
# under ML, sqrt(n / (n - p)) times the other.
nlme_at_its_own <- function(nlmes, polished, fit) {
  list(
    log_likelihood = as.numeric(logLik(nlmes)),
    fixed = Map(
      function(b, s) list(estimate = b, se = s), as.list(fixef(nlmes)), as.list(unname(sqrt(diag(vcov(nlmes)))))
    ),
    se_adjusted = as.list(summary(nlmes)$tTable[, "Std.Error"]),
    sigma = nlmes$sigma,
    below = signif(max(0, -2 * as.numeric(logLik(nlmes)) - fit$criterion), 1),
    distance = signif(max(abs(parameters_of(nlmes) - polished$theta)), 1)
  )
}

cases <- list()
for (name in names(MODELS)) {
  cases[[paste0(name, "_reml")]] <- case_of(name, reml = TRUE)
  cases[[paste0(name, "_ml")]] <- case_of(name, reml = FALSE)
}

# Without memory and phases it is lme4's model.
for (reml in c(TRUE, FALSE)) {
  lme4s <- fit_tightly(y ~ log2(session) + (1 + log2(session) | client), FRAME, reml)
  ours <- cases[[if (reml) "plain_reml" else "plain_ml"]]
  stopifnot(
    abs(lme4s$criterion - ours$criterion) < AGREES,
    all.equal(unname(lme4s$theta), unname(unlist(ours$theta)), tolerance = 1e-6)
  )
}

write_reference(
  list(
    command = "Rscript tests/reference/nlme.R",
    versions = c(versions(), nlme = version_of("nlme")),
    cases = cases
  ),
  file.path(HERE, "nlme.json")
)
