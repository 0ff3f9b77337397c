# METADATA
# title: May this subject do this to this resource?
# description: |
#   The rules for `access.evaluate`. People are permitted by their roles (rbac.rego), programs by conditions (abac.rego). The subject and
#   its attributes are what the store says; `input.facts.claimed` is what the caller says, and no rule here reads it.
package assay.access.evaluate

import data.assay.access.abac
import data.assay.access.rbac
import data.assay.access.request
import data.assay.access.session

subject := input.facts.subject

deny contains {
	"code": "unknown_subject",
	"message": "there is no such subject",
	"rule": "assay.access.evaluate.deny",
} if {
	not subject.found
}

deny contains {
	"code": "unknown_subject_type",
	"message": "subjects of this type have no rules",
	"rule": "assay.access.evaluate.deny",
} if {
	not rbac.kind
}

deny contains {
	"code": "subject_disabled",
	"message": "the subject is disabled",
	"rule": "assay.access.evaluate.deny",
} if {
	abac.disabled(subject.attributes)
}

deny contains {
	"code": "unknown_resource",
	"message": "there is no such resource",
	"rule": "assay.access.evaluate.deny",
} if {
	not input.facts.resource.found
	not input.facts.resource.type in data.access.unregistered_types
}

deny contains reason if some reason in session.deny

deny contains reason if some reason in abac.deny

grant contains {
	"code": "role_permitted",
	"message": concat(" ", ["the active role", role, "permits this"]),
	"rule": "assay.access.evaluate.grant",
} if {
	rbac.kind == "person"
	some role in rbac.permitting
}

grant contains {
	"code": "request_approved",
	"message": "a request for this access was approved",
	"rule": "assay.access.evaluate.grant",
} if {
	request.granted
}

grant contains reason if some reason in abac.grant

missing := abac.missing

# Every action that one of the rules above may permit to somebody.
actions contains action if {
	some role, type, action
	data.access.permissions[role][type][action]
}

actions contains action if {
	some kind, type, action
	data.access.programs[kind][type][action]
}

actions contains action if {
	some type, action
	data.access.requests[type][action]
}
