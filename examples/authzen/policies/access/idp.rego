# METADATA
# title: Identity providers
# description: What an identity provider puts into a token is what its user may delete, their own records.
package assay.access.idp

actions := {"delete"}

grant contains {
	"code": "idp_permitted",
	"message": "owners may delete their records",
	"rule": "assay.access.idp.grant",
} if {
	input.facts.payload.action == "delete"
	input.facts.subject.type == "user"
	input.facts.subject.found
	input.facts.resource.attributes.idp.owner == input.facts.subject.id
}
