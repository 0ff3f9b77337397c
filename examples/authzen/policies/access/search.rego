# METADATA
# title: The search demonstration
# description: |
#   Managers view every record, everybody views those of their department and their own. Owners edit and delete; managers also edit those of
#   their department.
package assay.access.search

user := input.facts.subject.attributes.search

record := input.facts.resource.attributes.search

actions := {"delete", "edit", "view"}

owns if record.owner == input.facts.subject.id

colleague if record.department == user.department

manager if user.role == "manager"

permitted("view") if manager

permitted("view") if colleague

permitted("view") if owns

permitted("edit") if owns

permitted("edit") if {
	manager
	colleague
}

permitted("delete") if owns

grant contains {
	"code": "search_permitted",
	"message": "the user's role, department or ownership permits this",
	"rule": "assay.access.search.grant",
} if {
	user
	record
	permitted(input.facts.payload.action)
}
