# METADATA
# title: The Todo application
# description: |
#   Everybody with a role reads; admins and editors create; editors change and delete their own todos, admins delete every one, and an
#   evil genius changes every one. Whose a todo is comes from state, not from the request.
package assay.access.todo

user := input.facts.subject.attributes.todo

actions := {"can_create_todo", "can_delete_todo", "can_read_todos", "can_read_user", "can_update_todo"}

owns if input.facts.resource.attributes.todo.owner == user.email

in_role(roles) if {
	some role in user.roles
	role in roles
}

permitted("user", "can_read_user") if in_role(data.access.todo.readers)

permitted("todo", "can_read_todos") if in_role(data.access.todo.readers)

permitted("todo", "can_create_todo") if in_role(data.access.todo.creators)

permitted("todo", "can_update_todo") if in_role(["evil_genius"])

permitted("todo", "can_update_todo") if {
	in_role(["editor"])
	owns
}

permitted("todo", "can_delete_todo") if in_role(["admin"])

permitted("todo", "can_delete_todo") if {
	in_role(["editor"])
	owns
}

grant contains {
	"code": "todo_permitted",
	"message": "the user's role permits this",
	"rule": "assay.access.todo.grant",
} if {
	input.facts.subject.type == "user"
	permitted(input.facts.resource.type, input.facts.payload.action)
}
