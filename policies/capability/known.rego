# METADATA
# title: Which types of caveats are understood
# description: |
#   A type is understood when it has a schema, which is the data.json of its folder under caveats/: nothing else lists the types. A caveat of
#   another type, with another member than `t` and `v`, or with a value that its schema does not describe, is refused whatever it means.
package assay.capability.known

import data.assay.capability.shape

token := input.facts.token

schemas := data.capability.caveats

refusal := {
	"code": "unsupported_caveat",
	"message": "no rule understands a caveat of this type",
	"rule": "assay.capability.known.refusal",
} if {
	unsupported
} else := {
	"code": "malformed_caveat",
	"message": "a caveat is not as its type wants it",
	"rule": "assay.capability.known.refusal",
} if {
	malformed
}

# Names that no type can have.
unsupported if token.unsupported > 0

unsupported if {
	some type, _ in token.caveats
	not schemas[type]
}

unsupported if {
	some type in token.surplus
	not schemas[type]
}

# With other members.
malformed if count(token.surplus) > 0

malformed if {
	some type, values in token.caveats
	some value in values
	not shape.fits(schemas[type], value)
}
