# Reference values for responses that are not normal: kept or not, five categories, and a ceiling. From the
# repository's root:
#
#     Rscript tests/reference/families.R
#
# reads tests/reference/data/{staying,ordinal,ceiling}.csv (by make_more_data.py) and writes
# tests/reference/families.json: each model by Laplace's approximation, as lme4 and ordinal have it, and by
# adaptive quadrature, so that a test can say what Laplace costs. All by maximum likelihood.
# On Debian: apt-get install r-cran-lme4 r-cran-ordinal r-cran-survival r-cran-minqa r-cran-numderiv r-cran-jsonlite
#
# quadrature.R has the likelihoods. They must equal those of glmer() and clmm() at these packages' own estimates
# (1e-8, or the script stops). No package here has censored scores with effects; so without effects they must equal
# survreg()'s likelihood, and without scores at the ceiling lmer()'s.

source("tests/reference/tight.R")
source("tests/reference/quadrature.R")
suppressPackageStartupMessages({
  library(ordinal)
  library(survival)
  library(parallel)
})

HERE <- "tests/reference"
AGREES <- 1e-8 # of the log-likelihood
LISTED <- 10

MODELS <- list(
  staying_client = list("staying.csv", "stays ~ connection + (1 | client)", 25),
  staying_client_therapist = list("staying.csv", "stays ~ connection + (1 | client) + (1 | therapist)", 15),
  ordinal_client = list("ordinal.csv", "rating ~ connection + log2(session) + (1 | client)", 25),
  ordinal_client_therapist = list(
    "ordinal.csv", "rating ~ connection + log2(session) + (1 | client) + (1 | therapist)", 15
  ),
  ceiling_client = list("ceiling.csv", "score ~ log2(session) + (1 | client)", 25),
  ceiling_client_slopes = list("ceiling.csv", "score ~ log2(session) + (1 + log2(session) | client)", 15),
  ceiling_client_therapist = list("ceiling.csv", "score ~ log2(session) + (1 | client) + (1 | therapist)", 15),
  ceiling_client_slopes_therapist = list(
    "ceiling.csv", "score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist)", 11
  )
)
FAMILIES <- list(
  staying.csv = list(name = "binomial", link = "logit", density = bernoulli),
  ordinal.csv = list(name = "cumulative", link = "logit", density = cumulative),
  ceiling.csv = list(name = "normal, censored from above", link = "identity", density = censored)
)

# ---- the problem and its parameters ------------------------------------------------------------------------------

problem_of <- function(formula, file, frame) {
  X <- model.matrix(nobars(as.formula(formula)), frame)
  first <- !duplicated(frame$client)
  stopifnot(!is.unsorted(as.integer(frame$client)))
  list(
    family = FAMILIES[[file]]$density,
    y = if (file == "ordinal.csv") as.integer(frame$rating) else frame[[all.vars(as.formula(formula))[1]]],
    X = if (file == "ordinal.csv") X[, -1, drop = FALSE] else X, # thresholds take the intercept's place
    Z = if (grepl("| client", formula, fixed = TRUE) && grepl("1 + log2", formula, fixed = TRUE)) {
      X[, c("(Intercept)", "log2(session)")]
    } else {
      X[, "(Intercept)", drop = FALSE]
    },
    client = as.integer(frame$client),
    therapist = if (grepl("therapist", formula)) as.integer(frame$therapist)[first]
  )
}

start_of <- function(problem, file, scale) {
  p <- ncol(problem$X)
  spread <- if (ncol(problem$Z) == 2) c(1, 0, 0.5) else 1
  spread <- scale * c(spread, if (!is.null(problem$therapist)) 0.7)
  switch(file,
    staying.csv = c(rep(0, p), spread),
    ordinal.csv = c(rep(0, p), spread, -2, -0.7, 0.7, 2),
    ceiling.csv = c(mean(problem$y), rep(0, p - 1), spread, log(sd(problem$y)))
  )
}

lower_of <- function(problem) {
  diagonal <- if (ncol(problem$Z) == 2) c(0, -Inf, 0) else 0
  c(rep(-Inf, ncol(problem$X)), diagonal, if (!is.null(problem$therapist)) 0)
}

# ---- fit -----------------------------------------------------------------------------------------------------------

deviance_of <- function(problem, nodes) {
  function(par) {
    if (is.unsorted(unpack(par, problem)$more)) {
      return(1e10)
    }
    -2 * log_likelihood_at(par, problem, nodes)
  }
}

# Down by nlminb from each start, then by Newton steps with the curvature given, or that of the place.
descend <- function(deviance, starts, lower, curvature = NULL) {
  runs <- lapply(starts, function(start) {
    bounds <- c(lower, rep(-Inf, length(start) - length(lower)))
    nlminb(start, deviance, lower = bounds, control = list(rel.tol = 1e-13, x.tol = 1e-9, iter.max = 500))
  })
  objectives <- sapply(runs, `[[`, "objective")
  par <- runs[[which.min(objectives)]]$par
  if (is.null(curvature)) curvature <- hessian(deviance, par)
  for (step in 1:4) {
    gradient <- grad(deviance, par)
    if (max(abs(gradient)) < 1e-7) break
    par <- par - solve(curvature, gradient)
  }
  value <- deviance(par)
  stopifnot(value <= min(objectives) + 1e-8)
  list(
    par = par, log_likelihood = -value / 2, curvature = hessian(deviance, par),
    gradient = max(abs(grad(deviance, par))), stuck = sum(objectives > value + 1e-6), runs = length(runs)
  )
}

# ---- describe ------------------------------------------------------------------------------------------------------

describe_fit <- function(fit, problem, nodes) {
  model <- unpack(fit$par, problem)
  covariance <- 2 * solve(fit$curvature)
  p <- ncol(problem$X)
  is_censored <- identical(problem$family, censored)
  is_ordinal <- identical(problem$family, cumulative)
  sigma <- if (is_censored) exp(model$more) else 1
  estimates <- function(which, names) {
    setNames(lapply(which, function(i) list(estimate = fit$par[i], se = sqrt(covariance[i, i]))), names)
  }
  last <- length(fit$par)
  list(
    nodes = nodes,
    log_likelihood = fit$log_likelihood,
    aic = -2 * fit$log_likelihood + 2 * last,
    bic = -2 * fit$log_likelihood + log(length(problem$y)) * last,
    fixed = estimates(seq_len(p), colnames(problem$X)),
    fixed_covariance = rows_of(covariance[seq_len(p), seq_len(p), drop = FALSE]),
    thresholds = if (is_ordinal) estimates(last - 3:0, c("1|2", "2|3", "3|4", "4|5")),
    sigma = if (is_censored) sigma,
    log_sigma_se = if (is_censored) sqrt(covariance[last, last]),
    theta = theta_of(model, problem, sigma),
    random = random_blocks(model, problem),
    search = list(gradient_left = signif(fit$gradient, 1), runs = fit$runs, stuck = fit$stuck)
  )
}

theta_of <- function(model, problem, sigma) {
  L <- model$L / sigma
  names <- paste0("client.", c("(Intercept)", "log2(session).(Intercept)", "log2(session)"))
  theta <- setNames(as.list(L[lower.tri(L, diag = TRUE)]), if (ncol(L) == 2) names else names[1])
  if (!is.null(problem$therapist)) theta[["therapist.(Intercept)"]] <- model$s / sigma
  theta
}

random_blocks <- function(model, problem) {
  block <- function(group, columns, levels, G) {
    list(
      group = group, columns = I(columns), levels = levels,
      variance = setNames(as.list(diag(G)), columns), sd = setNames(as.list(sqrt(diag(G))), columns),
      covariance = rows_of(G), correlation = rows_of(cov2cor(G))
    )
  }
  c(
    list(block("client", colnames(problem$Z), max(problem$client), tcrossprod(model$L))),
    if (!is.null(problem$therapist)) {
      list(block("therapist", "(Intercept)", max(problem$therapist), matrix(model$s^2)))
    }
  )
}

# Modes, and their standard deviations given the parameters: from the curvature of the joint density.
effects_at <- function(par, problem, frame) {
  found <- log_likelihood_at(par, problem, modes = TRUE)
  L <- found$model$L
  columns <- colnames(problem$Z)
  q <- length(columns)
  clients <- lapply(seq_len(LISTED), function(c) {
    h <- found$curvature[c, ]
    inverse <- solve(if (q == 2) matrix(h[c(1, 2, 2, 3)], 2) else matrix(h))
    if (!is.null(problem$therapist)) {
      along <- inverse %*% found$cross[c, ]
      inverse <- inverse + tcrossprod(along) / found$schur[problem$therapist[c]]
    }
    covariance <- L %*% inverse %*% t(L)
    effect <- list(
      value = setNames(as.list(drop(L %*% found$u[c, ])), columns),
      sd = setNames(as.list(sqrt(diag(covariance))), columns)
    )
    if (q == 2) effect$covariance <- covariance[1, 2]
    effect
  })
  effects <- list(client = setNames(clients, levels(frame$client)[seq_len(LISTED)]))
  if (!is.null(problem$therapist)) {
    s <- found$model$s
    effects$therapist <- setNames(lapply(seq_len(LISTED), function(t) {
      list(value = list("(Intercept)" = s * found$v[[t]]), sd = list("(Intercept)" = s / sqrt(found$schur[[t]])))
    }), levels(frame$therapist)[seq_len(LISTED)])
  }
  effects
}

# Both likelihoods away from their optimum, where no optimiser interferes.
likelihoods_at <- function(par, problem, nodes) {
  p <- ncol(problem$X)
  effects <- p + seq_along(lower_of(problem)[-seq_len(p)])
  rounded <- round(par, 2)
  lapply(list(1, 0.5, 1.5), function(scale) {
    at <- rounded
    at[effects] <- at[effects] * scale
    model <- unpack(at, problem)
    sigma <- if (identical(problem$family, censored)) exp(model$more) else 1
    list(
      fixed = setNames(as.list(model$beta), colnames(problem$X)),
      thresholds = if (identical(problem$family, cumulative)) I(model$more),
      sigma = if (identical(problem$family, censored)) sigma,
      theta = theta_of(model, problem, sigma),
      laplace = log_likelihood_at(at, problem),
      quadrature = log_likelihood_at(at, problem, nodes)
    )
  })
}

# ---- what the packages say -------------------------------------------------------------------------------------------

package_of <- function(formula, file, frame, problem, laplace, quadrature, nodes) {
  switch(file,
    staying.csv = glmer_says(as.formula(formula), frame, problem, laplace, quadrature, nodes),
    ordinal.csv = clmm_says(formula, frame, problem, laplace, quadrature, nodes),
    ceiling.csv = NULL
  )
}

glmer_says <- function(formula, frame, problem, laplace, quadrature, nodes) {
  by_glmer <- function(nodes) {
    # do.call, for glmer() looks its arguments up where the formula was made
    do.call(glmer, list(formula, frame, binomial, nAGQ = nodes, control = glmerControl(
      optimizer = "bobyqa", optCtrl = list(rhoend = 1e-8, maxfun = 1e5), tolPwrss = 1e-13
    )))
  }
  say <- function(model, nodes, fit) {
    list(
      nodes = nodes,
      log_likelihood = as.numeric(logLik(model)),
      fixed = Map(
        function(b, s, given) list(estimate = b, se = s, se_given_theta = given),
        as.list(fixef(model)), as.list(sqrt(diag(as.matrix(vcov(model))))),
        as.list(sqrt(diag(as.matrix(vcov(model, use.hessian = FALSE)))))
      ),
      theta = as.list(getME(model, "theta")),
      distance = if (!is.null(fit)) signif(max(abs(par_of(model) - fit$par)), 1)
    )
  }
  par_of <- function(model) c(fixef(model), getME(model, "theta"))
  model <- by_glmer(1)
  must_agree(logLik(model), log_likelihood_at(par_of(model), problem))
  theirs <- as.data.frame(ranef(model, condVar = TRUE))
  ours <- effects_at(par_of(model), problem, frame)
  for (group in names(ours)) for (level in names(ours[[group]])) {
    here <- theirs[theirs$grpvar == group & theirs$grp == level, ]
    stopifnot(abs(here$condval - ours[[group]][[level]]$value[[1]]) < 1e-6)
    stopifnot(abs(here$condsd - ours[[group]][[level]]$sd[[1]]) < 1e-6)
  }
  says <- list(glmer = say(model, 1, laplace), glmer_without_integration = say(by_glmer(0), 0, NULL))
  if (is.null(problem$therapist)) {
    model <- by_glmer(nodes)
    must_agree(logLik(model), log_likelihood_at(par_of(model), problem, nodes))
    says$glmer_quadrature <- say(model, nodes, quadrature)
  }
  says
}

clmm_says <- function(formula, frame, problem, laplace, quadrature, nodes) {
  frame$rating <- factor(frame$rating, ordered = TRUE)
  # By default (1e-4) the inner search stops early, which shows as 9e-5 in the log-likelihood; at 1e-10 it never ends.
  by_clmm <- function(nodes) {
    do.call(clmm, list(as.formula(formula), frame, nAGQ = nodes, control = clmm.control(gradTol = 1e-8)))
  }
  par_of <- function(model) c(model$beta, unlist(model$ST), model$alpha)
  say <- function(model, nodes, fit) {
    must_agree(logLik(model), log_likelihood_at(par_of(model), problem, nodes))
    se <- sqrt(diag(vcov(model)))
    estimates <- function(part) {
      Map(function(b, s) list(estimate = b, se = s), as.list(part), as.list(se[names(part)]))
    }
    list(
      nodes = nodes, log_likelihood = as.numeric(logLik(model)), fixed = estimates(model$beta),
      thresholds = estimates(model$alpha), sd = lapply(model$ST, as.numeric),
      distance = signif(max(abs(par_of(model) - fit$par)), 1)
    )
  }
  says <- list(clmm = say(by_clmm(1), 1, laplace))
  if (is.null(problem$therapist)) says$clmm_quadrature <- say(by_clmm(nodes), nodes, quadrature)
  says
}

must_agree <- function(theirs, ours) stopifnot(abs(as.numeric(theirs) - ours) < AGREES)

# ---- the censored likelihood at its two ends ---------------------------------------------------------------------------

check_censored <- function() {
  frame <- read.csv(file.path(HERE, "data", "ceiling.csv"), stringsAsFactors = TRUE)
  formula <- MODELS$ceiling_client_slopes_therapist[[2]]
  none <- survreg(Surv(score, score < CEILING) ~ log2(session), frame, dist = "gaussian")
  par <- c(coef(none), 0, 0, 0, 0, log(none$scale))
  must_agree(logLik(none), log_likelihood_at(par, problem_of(formula, "ceiling.csv", frame)))

  below <- droplevels(frame[frame$score < CEILING, ])
  problem <- problem_of(formula, "ceiling.csv", below)
  model <- fit_tightly(as.formula(formula), below, reml = FALSE, start_scales = 1)$model
  par <- c(fixef(model), getME(model, "theta") * sigma(model), log(sigma(model)))
  must_agree(logLik(model), log_likelihood_at(par, problem))
  must_agree(logLik(model), log_likelihood_at(par, problem, 11))
}

# ---- all -----------------------------------------------------------------------------------------------------------

case_of <- function(name) {
  file <- MODELS[[name]][[1]]
  formula <- MODELS[[name]][[2]]
  nodes <- MODELS[[name]][[3]]
  frame <- read.csv(file.path(HERE, "data", file), stringsAsFactors = TRUE)
  problem <- problem_of(formula, file, frame)
  lower <- lower_of(problem)
  starts <- lapply(c(1, 0.3, 2), function(scale) start_of(problem, file, scale))
  laplace <- descend(deviance_of(problem, 1), starts, lower)
  quadrature <- descend(deviance_of(problem, nodes), list(laplace$par), lower, laplace$curvature)
  fewer <- log_likelihood_at(quadrature$par, problem, nodes - 4)
  message(sprintf(
    "%-32s laplace %.6f, quadrature %.6f", name, laplace$log_likelihood, quadrature$log_likelihood
  ))
  list(
    formula = formula,
    data = file,
    family = FAMILIES[[file]]$name,
    link = FAMILIES[[file]]$link,
    ceiling = if (file == "ceiling.csv") CEILING,
    rows_used = nrow(frame),
    rows_at_ceiling = if (file == "ceiling.csv") sum(frame$score >= CEILING),
    parameters = length(laplace$par),
    laplace = c(
      describe_fit(laplace, problem, 1),
      list(
        effects_listed = "first 10 levels of each group, sorted as text",
        effects = effects_at(laplace$par, problem, frame)
      )
    ),
    quadrature = c(
      describe_fit(quadrature, problem, nodes),
      list(four_nodes_fewer = signif(abs(fewer - quadrature$log_likelihood), 1))
    ),
    log_likelihood_at = likelihoods_at(laplace$par, problem, nodes),
    packages = package_of(formula, file, frame, problem, laplace, quadrature, nodes)
  )
}

check_censored()
started <- proc.time()[["elapsed"]]
cases <- setNames(mclapply(names(MODELS), case_of, mc.cores = 2, mc.preschedule = FALSE), names(MODELS))
stopifnot(!sapply(cases, inherits, "try-error"))
message(sprintf("%.0f s", proc.time()[["elapsed"]] - started))
write_reference(
  list(
    command = "Rscript tests/reference/families.R",
    versions = c(versions(), ordinal = version_of("ordinal"), survival = version_of("survival")),
    cases = cases
  ),
  file.path(HERE, "families.json")
)
