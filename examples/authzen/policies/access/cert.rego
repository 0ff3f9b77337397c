# METADATA
# title: OpenID certification, Authorization API 1.0
# description: |
#   Who may read, write and delete records is state. Certification also demands that properties in the request count: the record's status,
#   the subject's role and whether a deletion is soft are read from the claims. A policy that protects something would not do that.
package assay.access.cert

subject := input.facts.subject.attributes.cert

record := input.facts.resource.attributes.cert

actions := {"delete", "read", "write"}

archived if record.status == "archived"

archived if input.facts.claimed.resource.status == "archived"

admin if subject.role == "admin"

admin if {
	subject
	input.facts.claimed.subject.role == "admin"
}

asked(action) if {
	input.facts.payload.action == action
	record
}

permitted(action) if {
	asked(action)
	action in subject.permissions
}

reason(message) := {"code": "cert_permitted", "message": message, "rule": "assay.access.cert.grant"}

grant contains reason("the subject may read records") if permitted("read")

grant contains reason("the subject may write records that are not archived") if {
	permitted("write")
	not archived
}

grant contains reason("an admin may write archived records") if {
	asked("write")
	archived
	admin
}

grant contains reason("the subject may delete records softly") if {
	permitted("delete")
	input.facts.claimed.action.soft == true
}
