# How lme4.R, lme4_more.R and lme4_kokorochat.R fit, describe and profile a model. Sourced by them, never run
# alone.
#
# lme4's own optimisers stop when theta moves by less than about 1e-4 to 1e-6, which shows in the fifth digit.
# Here the criterion is lme4's, unchanged (mkLmerDevfun), but it is descended from several starts by two
# optimisers (minqa's bobyqa, nlminb), and the best point is then polished by Newton steps with Richardson
# derivatives (numDeriv). Components that lie on the boundary are put there exactly.

suppressPackageStartupMessages({
  library(lme4)
  library(jsonlite)
  library(minqa)
  library(numDeriv)
})
invisible(Sys.setlocale("LC_COLLATE", "C")) # Python sorts so too
options(contrasts = c("contr.treatment", "contr.poly"))

DIGITS <- 12 # significant, in the JSON

versions <- function() {
  list(
    R = as.character(getRversion()), lme4 = version_of("lme4"), Matrix = version_of("Matrix"),
    minqa = version_of("minqa"), numDeriv = version_of("numDeriv"), jsonlite = version_of("jsonlite")
  )
}

version_of <- function(package) as.character(packageVersion(package))

write_reference <- function(reference, file) {
  write_json(reference, file, digits = I(DIGITS), auto_unbox = TRUE, pretty = 1, null = "null", na = "null")
}

# ---- fit ---------------------------------------------------------------------------------------------------

fit_tightly <- function(formula, frame, reml, start_scales = c(1, 0.2, 3), weights = NULL) {
  lme4s <- criterion_of(formula, frame, reml, weights)
  criterion <- lme4s$criterion
  lower <- lme4s$lower
  searches <- do.call(c, lapply(start_scales, function(scale) {
    start <- lme4s$start * scale + ifelse(is.finite(lower), 0, 0.1 * (scale - 1))
    list(by_bobyqa(criterion, start, lower, scale), by_nlminb(criterion, start, lower, scale))
  }))
  best <- searches[[which.min(sapply(searches, `[[`, "criterion"))]]
  polished <- polish(criterion, best$theta, lower)
  value <- criterion(polished$theta) # leaves the criterion's environment at the optimum, for mkMerMod
  optimum <- list(par = polished$theta, fval = value, conv = 0L, message = "polished by Newton steps")
  model <- mkMerMod(
    environment(criterion), optimum, lme4s$parts$reTrms,
    fr = lme4s$parts$fr, mc = quote(lmer())
  )
  list(
    model = model, theta = polished$theta, criterion = value,
    searches = searches, gradient = polished$gradient
  )
}

# A fresh criterion each time it is asked for: lme4's writes theta into the memory of its own parts and model.
criterion_of <- function(formula, frame, reml, weights = NULL) {
  parts <- do.call(lFormula, list(formula, frame, REML = reml, weights = weights))
  start <- parts$reTrms$theta + 0 # a copy
  list(parts = parts, criterion = do.call(mkLmerDevfun, parts), start = start, lower = parts$reTrms$lower)
}

by_bobyqa <- function(criterion, start, lower, scale) {
  found <- bobyqa(start, criterion, lower = lower, control = list(rhoend = 1e-9, maxfun = 1e5))
  list(optimiser = "minqa::bobyqa", start_scale = scale, criterion = found$fval, theta = found$par + 0)
}

by_nlminb <- function(criterion, start, lower, scale) {
  found <- nlminb(start, criterion, lower = lower, control = list(
    rel.tol = 1e-14, x.tol = 1e-10, abs.tol = 0, eval.max = 1e4, iter.max = 1e4
  ))
  list(optimiser = "nlminb", start_scale = scale, criterion = found$objective, theta = found$par + 0)
}

polish <- function(criterion, theta, lower, steps = 3) {
  at_zero <- is.finite(lower) & theta < 2e-3
  snapped <- replace(theta, at_zero, 0)
  if (criterion(snapped) > criterion(theta) + 1e-8) { # a small variance, not a zero one
    at_zero[] <- FALSE
    snapped <- theta
  }
  free <- which(!at_zero)
  if (length(free) == 0) {
    return(list(theta = snapped, gradient = 0))
  }
  along <- function(x) criterion(replace(snapped, free, x))
  x <- snapped[free]
  curvature <- hessian(along, x)
  for (step in seq_len(steps)) {
    x <- x - solve(curvature, grad(along, x))
  }
  stopifnot(along(x) <= criterion(theta) + 1e-8)
  list(theta = replace(snapped, free, x), gradient = max(abs(grad(along, x))))
}

# ---- describe ----------------------------------------------------------------------------------------------

describe <- function(fit, formula, file, frame, reml, every_level = TRUE, weights = NULL) {
  model <- fit$model
  log_likelihood <- logLik(model)
  list(
    formula = formula,
    data = file,
    reml = reml,
    rows_used = nobs(model),
    parameters = attr(log_likelihood, "df"),
    df_residual = df.residual(model),
    criterion = unname(if (reml) REMLcrit(model) else deviance(model)),
    log_likelihood = as.numeric(log_likelihood),
    aic = AIC(model),
    bic = BIC(model),
    singular = isSingular(model, tol = 1e-6),
    fixed = fixed_of(model),
    fixed_covariance = rows_of(vcov(model)),
    sigma = sigma(model),
    theta = as.list(getME(model, "theta")),
    random = random_of(model),
    effects_listed = if (every_level) "every level" else "first 10 levels of each group, sorted as text",
    effects = effects_of(model, every_level),
    fitted = fitted_of(model, 5),
    criterion_at = criterion_at(as.formula(formula), frame, reml, weights),
    search = search_of(fit, as.formula(formula), frame, reml, weights)
  )
}

fixed_of <- function(model) {
  estimate <- fixef(model)
  se <- sqrt(diag(as.matrix(vcov(model))))
  Map(function(b, s) list(estimate = b, se = s), as.list(estimate), as.list(se))
}

random_of <- function(model) {
  blocks <- VarCorr(model)
  groups <- names(getME(model, "cnms"))
  lapply(seq_along(blocks), function(i) {
    block <- blocks[[i]]
    list(
      group = groups[i],
      columns = I(colnames(block)),
      levels = nlevels(getME(model, "flist")[[groups[i]]]),
      variance = as.list(diag(block)),
      sd = as.list(attr(block, "stddev")),
      covariance = rows_of(block),
      correlation = rows_of(attr(block, "correlation"))
    )
  })
}

effects_of <- function(model, every_level) {
  effects <- ranef(model, condVar = TRUE)
  table <- as.data.frame(effects)
  lapply(split(table, factor(table$grpvar, unique(table$grpvar))), function(of_group) {
    group <- as.character(of_group$grpvar[1])
    levels <- sort(unique(as.character(of_group$grp)))
    if (!every_level) levels <- head(levels, 10)
    setNames(lapply(levels, function(level) {
      here <- of_group[of_group$grp == level, ]
      columns <- as.character(here$term)
      found <- list(
        value = setNames(as.list(here$condval), columns),
        sd = setNames(as.list(here$condsd), columns)
      )
      variance <- attr(effects[[group]], "postVar") # an array for one term, a list for several
      if (is.array(variance) && dim(variance)[1] == 2) {
        found$covariance <- variance[1, 2, match(level, rownames(effects[[group]]))]
      }
      found
    }), levels)
  })
}

fitted_of <- function(model, rows) {
  values <- head(fitted(model), rows)
  unname(Map(function(row, value) list(row = row, value = value), as.integer(names(values)) - 1L, values))
}

# The criterion away from its optimum: to compare likelihoods at equal theta, where no optimiser interferes.
criterion_at <- function(formula, frame, reml, weights = NULL) {
  lme4s <- criterion_of(formula, frame, reml, weights)
  diagonal <- is.finite(lme4s$lower)
  lapply(list(lme4s$start, ifelse(diagonal, 0.4, -0.1), ifelse(diagonal, 1.7, 0.3)), function(theta) {
    list(theta = I(theta), criterion = lme4s$criterion(theta))
  })
}

# How far each optimiser's runs, and lmer() as anybody calls it, end from the point that is reported.
search_of <- function(fit, formula, frame, reml, weights = NULL) {
  usual <- suppressWarnings(suppressMessages(
    do.call(lmer, list(formula, frame, REML = reml, weights = weights))
  ))
  usual <- list(optimiser = "lmer() by default", theta = getME(usual, "theta") + 0)
  usual$criterion <- criterion_of(formula, frame, reml, weights)$criterion(usual$theta)
  runs <- c(fit$searches, list(usual))
  distances <- lapply(split(runs, factor(sapply(runs, `[[`, "optimiser"))), function(of_one) {
    above <- sapply(of_one, `[[`, "criterion") - fit$criterion
    nearest <- of_one[[which.min(above)]]
    list(
      runs = length(of_one),
      stuck = sum(above > 1e-3),
      criterion = signif(max(0, min(above)), 1),
      theta = signif(max(abs(nearest$theta - fit$theta)), 1)
    )
  })
  list(gradient_left = signif(fit$gradient, 1), distances = distances)
}

rows_of <- function(matrix) unname(as.matrix(matrix))

# ---- profile -----------------------------------------------------------------------------------------------

# lme4's confint(method = "profile"), always of the ML criterion; it interpolates between profile points.
profile_of <- function(formula, frame) {
  model <- lmer(formula, frame, REML = FALSE, control = lmerControl(
    optimizer = "bobyqa", optCtrl = list(rhoend = 1e-8, maxfun = 1e5), calc.derivs = FALSE
  ))
  intervals <- confint(model, method = "profile", oldNames = FALSE, quiet = TRUE)
  rownames(intervals) <- sub("^sd_\\(Intercept\\)\\|", "", rownames(intervals))
  setNames(lapply(seq_len(nrow(intervals)), function(i) I(unname(intervals[i, ]))), rownames(intervals))
}

# The same limits as roots: there -2 log-likelihood, minimised over all else, stands qchisq(.95, 1) above its
# minimum. For models whose random terms are all intercepts. A lower limit is 0 where the profile never climbs
# so high.
exact_profile_of <- function(formula, frame) {
  ml <- fit_tightly(formula, frame, reml = FALSE, start_scales = 1)
  lme4s <- criterion_of(formula, frame, reml = FALSE)
  stopifnot(lengths(lme4s$parts$reTrms$cnms) == 1)
  inside <- environment(lme4s$criterion)
  rows <- nobs(ml$model)
  deviance_of <- function(sds) { # the last one is sigma
    sigma <- sds[length(sds)]
    lme4s$criterion(sds[-length(sds)] / sigma)
    penalised <- inside$resp$wrss() + inside$pp$sqrL(1)
    inside$pp$ldL2() + rows * log(2 * pi * sigma^2) + penalised / sigma^2
  }
  estimate <- setNames(c(ml$theta, 1) * sigma(ml$model), c(names(lme4s$parts$reTrms$cnms), "sigma"))
  least <- deviance_of(estimate)
  stopifnot(abs(least - deviance(ml$model)) < 1e-8)
  limits <- lapply(seq_along(estimate), function(i) {
    others <- estimate[-i]
    lower <- ifelse(names(others) == "sigma", 1e-3 * estimate[["sigma"]], 0)
    above <- function(value) {
      along <- function(x) deviance_of(append(x, value, after = i - 1))
      lowest_of(along, others, lower) - least - qchisq(0.95, 1)
    }
    at <- estimate[[i]]
    floor <- if (i == length(estimate)) 0.2 * at else 0
    low <- if (above(floor) < 0) floor else uniroot(above, c(floor, at), tol = 1e-8 * at)$root
    high <- uniroot(above, c(at, 1.5 * at), extendInt = "upX", tol = 1e-8 * at)$root
    I(c(low, high))
  })
  setNames(limits, names(estimate))
}

# A standard deviation of zero is a stationary point, where nlminb may stop: bobyqa uses no gradient.
lowest_of <- function(along, start, lower) {
  if (length(start) == 1) {
    return(optimize(along, c(lower, 20 * start), tol = 1e-9 * start)$objective)
  }
  bobyqa(start, along, lower = lower, control = list(rhobeg = 0.2 * min(start), rhoend = 1e-8))$fval
}
