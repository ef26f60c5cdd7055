# Marginal likelihoods of mixed models whose responses are not normal: by Laplace's approximation, and by adaptive
# Gauss-Hermite quadrature, which is exact for all practical purposes. Sourced by families.R, never run alone.
#
# Written for clarity of method, independently of lme4 and ordinal. Clients have an intercept, or an intercept and
# a slope; therapists, if any, an intercept, and each client belongs to one therapist. Effects are spherical:
#
#     eta = X beta + s v[therapist] + Z L u[client],   u ~ N(0, I), v ~ N(0, 1).
#
# A family gives, for each row, the log density and its first two derivatives in eta.

# ---- families ------------------------------------------------------------------------------------------------

bernoulli <- function(y, eta, more) {
  p <- plogis(eta)
  list(log = plogis((2 * y - 1) * eta, log.p = TRUE), first = y - p, second = -p * (1 - p))
}

# Cumulative logit: P(y <= j) = plogis(threshold_j - eta).
cumulative <- function(y, eta, more) {
  upper <- plogis(c(more, Inf)[y] - eta)
  lower <- plogis(c(-Inf, more)[y] - eta)
  list(
    log = log(upper - lower),
    first = upper + lower - 1,
    second = -upper * (1 - upper) - lower * (1 - lower)
  )
}

# A normal variable recorded as CEILING wherever it lies above.
CEILING <- 10
censored <- function(y, eta, more) {
  sigma <- exp(more)
  z <- (y - eta) / sigma
  above <- y >= CEILING
  log_tail <- pnorm(z, lower.tail = FALSE, log.p = TRUE)
  hazard <- exp(dnorm(z, log = TRUE) - log_tail)
  list(
    log = ifelse(above, log_tail, dnorm(z, log = TRUE) - log(sigma)),
    first = ifelse(above, hazard, z) / sigma,
    second = ifelse(above, -hazard * (hazard - z), -1) / sigma^2
  )
}

# ---- the mode of the effects -----------------------------------------------------------------------------------

# problem: family, y, X, Z (rows x 1 or 2), client (1..C by row), therapist (by client, or NULL).
# par: beta, then L's lower triangle by columns, then s (if therapists), then what the family needs.
unpack <- function(par, problem) {
  p <- ncol(problem$X)
  q <- ncol(problem$Z)
  r <- q * (q + 1) / 2
  t <- if (is.null(problem$therapist)) 0 else 1
  L <- matrix(0, q, q)
  L[lower.tri(L, diag = TRUE)] <- par[p + seq_len(r)]
  list(
    beta = par[seq_len(p)], L = L, s = if (t) par[p + r + 1] else 0,
    more = par[-seq_len(p + r + t)]
  )
}

by_client <- function(x, problem) rowsum(x, problem$client, reorder = TRUE)

# -log density of data and of the clients' effects, for each client, with what Newton needs.
at_effects <- function(u, offset, W, model, problem) {
  density <- problem$family(problem$y, offset + rowSums(W * u[problem$client, , drop = FALSE]), model$more)
  density$joint <- drop(by_client(density$log, problem)) - rowSums(u^2) / 2
  density
}

# Newton for all clients at once, each with its own step halved while its joint density falls.
mode_of_clients <- function(u, offset, W, model, problem) {
  now <- at_effects(u, offset, W, model, problem)
  for (iteration in 1:100) {
    gradient <- by_client(now$first * W, problem) - u
    step <- solve_clients(curvature_of(now, W, problem), gradient)
    scale <- rep(1, nrow(u))
    for (halving in 1:30) {
      new <- at_effects(u + scale * step, offset, W, model, problem)
      worse <- !is.finite(new$joint) | new$joint < now$joint - 1e-10 * (1 + abs(now$joint))
      if (!any(worse)) break
      scale[worse] <- scale[worse] / 2
    }
    u <- u + scale * step
    now <- new
    if (max(abs(step)) < 1e-9) break # quadratic: the next would be 1e-18
  }
  list(u = u, at = now, curvature = curvature_of(now, W, problem))
}

# I + L' (sum of -second z z') L for each client: columns 11, 21, 22.
curvature_of <- function(at, W, problem) {
  if (ncol(W) == 1) {
    return(1 + by_client(-at$second * W^2, problem))
  }
  sums <- by_client(-at$second * cbind(W[, 1]^2, W[, 1] * W[, 2], W[, 2]^2), problem)
  sweep(sums, 2, c(1, 0, 1), `+`)
}

determinants <- function(H) if (ncol(H) == 1) H[, 1] else H[, 1] * H[, 3] - H[, 2]^2

solve_clients <- function(H, g) {
  if (ncol(H) == 1) {
    return(g / H[, 1])
  }
  cbind(H[, 3] * g[, 1] - H[, 2] * g[, 2], H[, 1] * g[, 2] - H[, 2] * g[, 1]) / determinants(H)
}

# The joint mode of therapists and clients: Newton by Schur complements, one per therapist.
mode_of_both <- function(u, v, fixed, W, model, problem) {
  of_row <- problem$therapist[problem$client]
  by_therapist <- function(x) drop(rowsum(x, problem$therapist, reorder = TRUE))
  whole <- function(u, v) {
    at <- at_effects(u, fixed + model$s * v[of_row], W, model, problem)
    at$total <- sum(at$joint) - sum(v^2) / 2
    at
  }
  now <- whole(u, v)
  for (iteration in 1:100) {
    H <- curvature_of(now, W, problem)
    cross <- by_client(-now$second * model$s * W, problem) # clients x q
    schur <- 1 + by_therapist(by_client(-now$second * model$s^2, problem) - rowSums(cross * solve_clients(H, cross)))
    gradient_u <- by_client(now$first * W, problem) - u
    gradient_v <- by_therapist(by_client(now$first * model$s, problem)) - v
    step_v <- (gradient_v - by_therapist(rowSums(cross * solve_clients(H, gradient_u)))) / schur
    step_u <- solve_clients(H, gradient_u - cross * step_v[problem$therapist])
    if (max(abs(step_u), abs(step_v)) < 1e-9) break
    scale <- 1
    repeat {
      new <- whole(u + scale * step_u, v + scale * step_v)
      if (is.finite(new$total) && new$total >= now$total - 1e-10 * (1 + abs(now$total)) || scale < 1e-8) break
      scale <- scale / 2
    }
    u <- u + scale * step_u
    v <- v + scale * step_v
    now <- new
  }
  list(u = u, v = v, at = now, curvature = H, schur = schur, cross = cross)
}

# ---- the integral ----------------------------------------------------------------------------------------------

# Gauss-Hermite nodes by Golub and Welsch; `log_weight` includes exp(node^2).
hermite <- function(nodes) {
  J <- matrix(0, nodes, nodes)
  if (nodes > 1) J[cbind(1:(nodes - 1), 2:nodes)] <- J[cbind(2:nodes, 1:(nodes - 1))] <- sqrt(1:(nodes - 1) / 2)
  decomposed <- eigen(J, symmetric = TRUE)
  node <- decomposed$values
  list(node = node, log_weight = log(sqrt(pi) * decomposed$vectors[1, ]^2) + node^2)
}

# The log of the integral over each client's effects, therapists' being held; one node is Laplace.
integral_of_clients <- function(found, offset, W, model, problem, nodes) {
  rule <- hermite(nodes)
  q <- ncol(W)
  points <- as.matrix(expand.grid(rep(list(seq_len(nodes)), q)))
  H <- found$curvature
  total <- numeric(nrow(H))
  for (k in seq_len(nrow(points))) {
    z <- sqrt(2) * rule$node[points[k, ]]
    # u = mode + R^-1 z, where H = R' R
    shift <- if (q == 1) {
      z / sqrt(H)
    } else {
      second <- z[2] / sqrt(H[, 3] - H[, 2]^2 / H[, 1])
      cbind(z[1] / sqrt(H[, 1]) - H[, 2] / H[, 1] * second, second)
    }
    at <- at_effects(found$u + shift, offset, W, model, problem)
    total <- total + exp(sum(rule$log_weight[points[k, ]]) + at$joint - found$at$joint)
  }
  found$at$joint + log(total) - q / 2 * log(pi) - log(determinants(H)) / 2
}

# The marginal log-likelihood. With therapists, nodes = 1 is Laplace's approximation about the joint mode, as
# lme4 and ordinal have it; more nodes are taken for each therapist, and for each of them again for each client.
log_likelihood_at <- function(par, problem, nodes = 1, modes = FALSE) {
  model <- unpack(par, problem)
  W <- problem$Z %*% model$L
  fixed <- drop(problem$X %*% model$beta)
  u <- matrix(0, max(problem$client), ncol(W))
  if (is.null(problem$therapist)) {
    found <- mode_of_clients(u, fixed, W, model, problem)
    value <- sum(integral_of_clients(found, fixed, W, model, problem, nodes))
  } else {
    found <- mode_of_both(u, numeric(max(problem$therapist)), fixed, W, model, problem)
    value <- if (nodes == 1) {
      found$at$total - sum(log(determinants(found$curvature))) / 2 - sum(log(found$schur)) / 2
    } else {
      integral_of_both(found, fixed, W, model, problem, nodes)
    }
  }
  if (modes) c(found, list(value = value, model = model)) else value
}

integral_of_both <- function(found, fixed, W, model, problem, nodes) {
  rule <- hermite(nodes)
  of_row <- problem$therapist[problem$client]
  logs <- sapply(seq_len(nodes), function(k) {
    v <- found$v + sqrt(2) * rule$node[k] / sqrt(found$schur)
    offset <- fixed + model$s * v[of_row]
    # the clients' mode moves against v: a good start for Newton
    moved <- found$u - solve_clients(found$curvature, found$cross) * (v - found$v)[problem$therapist]
    clients <- mode_of_clients(moved, offset, W, model, problem)
    inner <- integral_of_clients(clients, offset, W, model, problem, nodes)
    rule$log_weight[k] + drop(rowsum(inner, problem$therapist, reorder = TRUE)) - v^2 / 2
  })
  highest <- apply(logs, 1, max)
  sum(highest + log(rowSums(exp(logs - highest))) - log(pi) / 2 - log(found$schur) / 2)
}
