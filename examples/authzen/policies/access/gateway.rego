# METADATA
# title: API gateways
# description: The gateway asks about a route as it is written in its OpenAPI document; data.json says which roles may use each.
package assay.access.gateway

actions := {action | some methods in data.access.gateway.routes; some action, _ in methods}

grant contains {
	"code": "route_permitted",
	"message": "one of the identity's roles may use this route",
	"rule": "assay.access.gateway.grant",
} if {
	input.facts.subject.type == "identity"
	input.facts.resource.type == "route"
	input.facts.resource.found
	some role in input.facts.subject.attributes.gateway.roles
	role in data.access.gateway.routes[input.facts.resource.id][input.facts.payload.action]
}
