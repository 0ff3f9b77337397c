# METADATA
# title: Filling an empty data folder
# description: Whoever holds the data folder imports state.json once; an import only adds.
package assay.access.seed

effect := object.union(input.facts.payload.change, {"kind": "access.import"}) if {
	input.request.action == "access.import"
	input.request.peer.kind in {"embedded", "operator"}
	count(input.facts.subject.existing) == 0
	count(input.facts.resource.existing) == 0
}

grant contains {
	"code": "seeded",
	"message": "the holder of the data folder fills it",
	"rule": "assay.access.seed.grant",
} if {
	effect
}
