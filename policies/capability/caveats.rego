# METADATA
# title: Whether every caveat holds
# description: |
#   Each type has a folder under caveats/ with the rule that adds its caveats to `holds`, by type and place; a caveat that no rule adds does not
#   hold. So a caveat whose fact is missing is refused, and so is a type without a rule. Types that count add to `spends` what a use costs.
package assay.capability.caveats

# By type, in the order in which the token has them.
given := input.facts.token.caveats

# What is asked for, as the enforcement point says.
operation := input.facts.claimed.operation

# What was spent so far, by type and in the order of `given`.
counters := input.facts.state.counters

refusal := {
	"code": "caveat_denied",
	"message": sprintf("a caveat %s does not hold", [first]),
	"rule": "assay.capability.caveats.refusal",
} if {
	first := min(broken)
}

broken contains type if {
	some type, values in given
	some i, _ in values
	not holds[[type, i]]
}

# A size that an operation has: no part of a byte, nor less than none.
whole(number) if {
	is_number(number)
	number >= 0
	floor(number) == number
}

# What a use adds to a counter, as the effect that writes it.
spend(counter, amount, since) := {
	"amount": amount,
	"counter": counter.key,
	"kind": "capability.spend",
	"since": since,
	"until": input.facts.token.exp,
}
