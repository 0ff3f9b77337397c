package assay.capability.caveats

# METADATA
# title: "rate_budget: so many uses in so many seconds"
# description: "`count` uses in windows of `seconds`, for the token that has it and all that are made from it."
holds contains ["rate_budget", i] if {
	some i, budget in given.rate_budget
	rate_budget_used(counters.rate_budget[i], budget) < budget.count
}

spends contains spend(counter, rate_budget_used(counter, budget) + 1, rate_budget_since(counter, budget)) if {
	some i, budget in given.rate_budget
	counter := counters.rate_budget[i]
}

# A window begins with the first use after the one before is over.
rate_budget_running(counter, budget) if {
	counter.amount > 0
	input.now < counter.since + budget.seconds
}

rate_budget_used(counter, budget) := counter.amount if {
	rate_budget_running(counter, budget)
} else := 0

rate_budget_since(counter, budget) := counter.since if {
	rate_budget_running(counter, budget)
} else := input.now
