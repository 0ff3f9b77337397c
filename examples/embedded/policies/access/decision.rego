# METADATA
# title: Who may do what to a note
# description: |
#   Owners read, write and delete their notes; everybody reads shared ones. Whose a note is comes from the store, never from a request.
#   Who deletes a note is told about it: the service declares that it carries that out, or the decision is a deny.
package assay.access

# METADATA
# entrypoint: true
decision := {
	"allow": true,
	"effects": effects,
	"obligations": obligations,
	"reasons": sort(grant),
} if {
	count(deny) == 0
	count(grant) > 0
} else := {
	"allow": false,
	"effects": [],
	"obligations": [],
	"reasons": sort(refusals),
}

subject := input.facts.subject

note := input.facts.resource.attributes

owns if note.owner == subject.id

asks if {
	input.request.action == "access.evaluate"
	input.facts.payload.check == "valid"
}

deny contains because("suspended", "this user is suspended", "deny") if subject.attributes.suspended

grant contains because("owner", "the note is the user's own", "grant") if {
	asks
	owns
	input.facts.payload.action in {"read", "write", "delete"}
}

grant contains because("shared", "the note is shared with everybody", "grant") if {
	asks
	subject.found
	note.shared
	input.facts.payload.action == "read"
}

# Whoever starts the service fills its empty store, once: an import only adds.
grant contains because("seeded", "the first state is imported", "grant") if seed

seed := object.union(input.facts.payload.change, {"kind": "access.import"}) if {
	input.request.action == "access.import"
	input.facts.payload.check == "valid"
	input.request.peer.kind == "operator"
	count(input.facts.subject.existing) == 0
	count(input.facts.resource.existing) == 0
}

default effects := []

effects := [seed]

default obligations := []

obligations := [{
	"id": "tell-owner",
	"type": "notification",
	"properties": {"to": subject.id, "body": concat("", ["deleted: ", input.facts.resource.id])},
}] if {
	input.facts.payload.action == "delete"
}

refusals := deny if {
	count(deny) > 0
} else := {because("not_permitted", "no rule permits this", "refusals")}

because(code, message, rule) := {
	"code": code,
	"message": message,
	"rule": concat(".", ["assay.access", rule]),
}
