package assay.capability.caveats

# METADATA
# title: "byte_budget: the size of all operations together"
# description: "`bytes` for the token that has it and all that are made from it; each use adds `operation.bytes`."
holds contains ["byte_budget", i] if {
	some i, budget in given.byte_budget
	whole(operation.bytes)
	counters.byte_budget[i].amount + operation.bytes <= budget.bytes
}

spends contains spend(counter, counter.amount + operation.bytes, input.now) if {
	some counter in counters.byte_budget
}
