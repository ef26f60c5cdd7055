# Reliable change by clinicalsignificance 2.1.0.9000, sudden gains and losses by suddengains 0.7.2.
# Neither is in Debian; the script reads their sources where they lie:
#   Rscript tests/reference/change.R CLINICALSIGNIFICANCE/R SUDDENGAINS/R
suppressMessages({library(dplyr); library(tibble); library(rlang)})
folders <- commandArgs(TRUE)
for (file in c("package-utils.R", "calc_rci.R", "calc_cutoff.R")) source(file.path(folders[1], file))
for (file in c("identify_sg.R", "identify_sl.R")) source(file.path(folders[2], file))

pairs <- as_tibble(read.csv("tests/reference/data/change_pairs.csv")) |>
  rename(id = client, pre = before, post = after) |>
  mutate(change = post - pre)
figures <- list(
  m_pre = mean(pairs$pre), sd_pre = sd(pairs$pre), m_post = mean(pairs$post), sd_post = sd(pairs$post),
  correlation = cor(pairs$pre, pairs$post), reliability = .85, reliability_post = .7
)
index <- function(method) {
  calc_rci(structure(list(data = pairs), class = c(paste0("cs_", method), "list")),
    m_pre = figures$m_pre, sd_pre = figures$sd_pre, m_post = figures$m_post, sd_post = figures$sd_post,
    reliability = figures$reliability, reliability_post = figures$reliability_post, direction = -1
  )$data$rci
}
methods <- c("jacobson-truax" = "jt", "edwards-nunnally" = "en", "gulliksen-lord-novick" = "gln",
             "nunnally-kotsch" = "nk", "hageman-arrindell" = "ha")
cutoffs <- sapply(c(a = "a", c = "c"), function(kind) {
  .calc_cutoff_jt(figures$m_pre, figures$sd_pre, 6, 4, kind, -1)$value
})

courses <- read.csv("tests/reference/data/change_courses.csv")
wide <- reshape(courses, idvar = "client", timevar = "session", direction = "wide")
names(wide) <- sub("outcome.", "s", names(wide), fixed = TRUE)
sessions <- paste0("s", 1:12)
steps <- function(found, prefix) {
  columns <- grep(paste0("^", prefix, "_"), names(found), value = TRUE)
  values <- as.matrix(found[, columns])
  first <- as.integer(sub(".*_(\\d+)to.*", "\\1", columns))
  at <- which(values == 1, arr.ind = TRUE)
  hits <- cbind(found$client[at[, 1]], first[at[, 2]])
  list(at = hits[order(hits[, 1], hits[, 2]), ], judged = sum(!is.na(values)))
}
gains <- suppressMessages(identify_sg(wide, "client", sessions, 7))
losses <- suppressMessages(identify_sl(wide, "client", sessions, -7))

jsonlite::write_json(
  list(
    made_with = list(R = as.character(getRversion()), clinicalsignificance = "2.1.0.9000", suddengains = "0.7.2"),
    figures = figures, index = lapply(methods, index), cutoffs = as.list(cutoffs),
    gains = steps(gains, "sg"), losses = steps(losses, "sl")
  ),
  "tests/reference/change.json", auto_unbox = TRUE, digits = 12
)
