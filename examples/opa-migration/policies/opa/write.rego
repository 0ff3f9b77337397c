# METADATA
# title: Who may push documents, and where?
# description: |
#   PUT, PATCH and DELETE of OPA's data API. Only the kinds of peers in `writers` may; a client without authentication is "anonymous" and
#   may not. What the documents would become, and what keeps them from it, the plugin reports.
package assay.opa.write

# Whoever reaches the server: it listens on loopback only, as OPA did. Name what your transport authenticates instead.
writers := {"anonymous", "embedded", "operator"}

asked if input.request.action in {"opa.put-data", "opa.patch-data", "opa.delete-data"}

outcome := input.facts.change.outcome if asked

deny contains {
	"code": "not_a_writer",
	"message": "peers of this kind may not push documents",
	"rule": "assay.opa.write.deny",
} if {
	asked
	not input.request.peer.kind in writers
}

deny contains {
	"code": "malformed_change",
	"message": "the payload is not what this action takes",
	"rule": "assay.opa.write.deny",
} if {
	outcome == "malformed_change"
}

deny contains {
	"code": "document_not_found",
	"message": "there is no document at the path",
	"rule": "assay.opa.write.deny",
} if {
	outcome == "document_not_found"
}

deny contains {
	"code": "document_exists",
	"message": "there is a document at the path already",
	"rule": "assay.opa.write.deny",
} if {
	outcome == "document_exists"
}

deny contains {
	"code": "invalid_change",
	"message": "the change cannot be made there",
	"rule": "assay.opa.write.deny",
} if {
	outcome == "invalid_change"
}

deny contains {
	"code": "not_an_object",
	"message": "something else than an object lies on the way to the path",
	"rule": "assay.opa.write.deny",
} if {
	outcome == "not_an_object"
}

deny contains {
	"code": "owned_by_bundle",
	"message": "the path belongs to the bundle",
	"rule": "assay.opa.write.deny",
} if {
	outcome == "owned_by_bundle"
}

deny contains {
	"code": "reserved_path",
	"message": "the path belongs to Assay's own policies",
	"rule": "assay.opa.write.deny",
} if {
	outcome == "reserved_path"
}

deny contains {
	"code": "rule_conflict",
	"message": "a rule lies where the document would",
	"rule": "assay.opa.write.deny",
} if {
	outcome == "rule_conflict"
}

grant contains {
	"code": "change_permitted",
	"message": "this writer may push documents",
	"rule": "assay.opa.write.grant",
} if {
	outcome == "applicable"
}

effect := {
	"documents": input.facts.claimed.documents,
	"kind": "opa.write-documents",
} if {
	asked
}
