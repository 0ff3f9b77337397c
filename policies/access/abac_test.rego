package assay.access.abac_test

import data.assay.access.abac
import data.assay.access.given_test as given

workload := given.resource("workload", "w1", {"attributes": {"owner": "ada"}})

allocation := given.resource("allocation", "a1", {"attributes": {
	"holder": "ada",
	"nodes": {"n1": true, "n2": false},
	"until": given.now + 1,
}})

checkpoint(node) := given.resource("checkpoint", "c1", {
	"attributes": {"node": node},
	"related": {"workload": workload},
})

ada := given.subject("user", "ada", {"related": {"allocation": allocation}})

read(facts) := given.evaluation("read", given.replace_members(
	{"resource": checkpoint("n1"), "roles": {"assigned": ["scientist"]}, "subject": ada},
	facts,
))

with_allocation(attributes) := given.subject("user", "ada", {"related": {"allocation": object.union(
	allocation,
	{"attributes": object.union(allocation.attributes, attributes)},
)}})

# A researcher may read checkpoints only for workloads they own and only from nodes in their allocated partition.
test_a_researcher_reads_their_checkpoint_in_their_partition if given.allowed(read({}))

test_somebody_elses_workload_is_refused if {
	theirs := given.resource("workload", "w2", {"attributes": {"owner": "bob"}})
	given.refused(read({"resource": given.resource("checkpoint", "c2", {"attributes": {"node": "n1"}, "related": {"workload": theirs}})}), {"not_owner"})
}

test_a_checkpoint_without_a_workload_is_refused if {
	given.refused(read({"resource": given.resource("checkpoint", "c2", {"attributes": {"node": "n1"}})}), {"not_owner"})
}

test_a_workload_that_is_gone_is_nobodys if {
	gone := object.union(workload, {"found": false})
	given.refused(read({"resource": given.resource("checkpoint", "c2", {"attributes": {"node": "n1"}, "related": {"workload": gone}})}), {"not_owner"})
}

test_a_node_outside_the_partition_is_refused if {
	given.refused(read({"resource": checkpoint("n2")}), {"outside_partition"})
	given.refused(read({"resource": checkpoint("n3")}), {"outside_partition"})
	given.refused(read({"resource": checkpoint(null)}), {"outside_partition"})
}

test_without_an_allocation_every_node_is_outside if {
	given.refused(read({"subject": given.subject("user", "ada", {})}), {"outside_partition"})
}

test_an_allocation_that_is_gone_is_refused if {
	gone := given.subject("user", "ada", {"related": {"allocation": object.union(allocation, {"found": false})}})
	given.refused(read({"subject": gone}), {"outside_partition"})
}

test_somebody_elses_allocation_is_refused if {
	given.refused(read({"subject": with_allocation({"holder": "bob"})}), {"outside_partition"})
}

test_an_ended_allocation_is_refused if {
	given.refused(read({"subject": with_allocation({"until": given.now})}), {"outside_partition"})
	given.refused(read({"subject": with_allocation({"until": "2099-01-01"})}), {"outside_partition"})
}

test_an_allocation_without_an_end_holds if {
	endless := given.subject("user", "ada", {"related": {"allocation": given.replace_members(
		allocation,
		{"attributes": {"holder": "ada", "nodes": {"n1": true}}},
	)}})
	given.allowed(read({"subject": endless}))
}

test_every_failed_condition_is_told if {
	given.refused(read({"resource": given.resource("checkpoint", "c2", {})}), {"not_owner", "outside_partition"})
}

test_whoever_inherits_the_role_is_bound_too if {
	given.refused(read({"resource": checkpoint("n3"), "roles": {"assigned": ["chief", "trainee"]}}), {"outside_partition"})
}

test_claimed_attributes_do_not_help if {
	given.refused(
		read({
			"claimed": object.union(given.no_claims, {"resource": {"node": "n1", "owner": "ada"}}),
			"resource": given.resource("checkpoint", "c2", {}),
		}),
		{"not_owner", "outside_partition"},
	)
}

test_a_condition_that_no_rule_knows_refuses if {
	given.refused(
		given.evaluation("touch", {
			"resource": checkpoint("n1"),
			"roles": {"assigned": ["scientist"]},
			"subject": ada,
		}),
		{"unknown_condition"},
	)
}

# Members of `acts_for` change one by one.
tool(members) := given.subject("tool", "t1", object.union(
	{
		"acts_for": {
			"attributes": {},
			"found": true,
			"id": "ada",
			"incarnation": "i1",
			"roles": ["scientist"],
			"type": "user",
		},
		"related": {"allocation": allocation},
	},
	members,
))

by_tool(members) := read({"roles": {"assigned": []}, "subject": tool(members)})

test_a_program_reads_for_its_researcher if {
	decision := given.decide(by_tool({}))
	decision.allow
	[reason.code | some reason in decision.reasons] == ["program_permitted"]
}

test_a_program_is_bound_like_its_researcher if {
	given.refused(read({"resource": checkpoint("n3"), "roles": {"assigned": []}, "subject": tool({})}), {"outside_partition"})
}

test_a_program_of_somebody_without_the_permission_is_refused if {
	given.refused(by_tool({"acts_for": {"roles": ["staff"]}}), {"person_not_permitted"})
}

test_a_program_of_a_disabled_person_is_refused if {
	given.refused(by_tool({"acts_for": {"attributes": {"disabled": true}}}), {"person_not_permitted"})
}

test_a_program_of_a_person_who_is_gone_is_refused if {
	given.refused(by_tool({"acts_for": {"found": false}}), {"person_not_permitted"})
}

test_a_program_of_another_program_is_refused if {
	given.refused(by_tool({"acts_for": {"type": "tool"}}), {"person_not_permitted"})
}

test_a_program_of_nobody_is_refused if {
	given.refused(read({"subject": given.subject("tool", "t1", {}), "roles": {"assigned": ["scientist"]}}), {"person_not_permitted"})
}

test_a_program_without_rules_is_refused if {
	given.refused(
		given.evaluation("touch", {
			"resource": checkpoint("n1"),
			"subject": given.subject("agent", "a1", {}),
		}),
		{"not_permitted"},
	)
}

write(own) := given.evaluation("write", {
	"resource": checkpoint("n1"),
	"subject": given.subject("job", "j1", {"related": own}),
})

test_a_workload_writes_its_own_checkpoint if given.allowed(write({"workload": workload}))

test_a_workload_does_not_write_anothers_checkpoint if {
	given.refused(write({"workload": object.union(workload, {"id": "w2"})}), {"other_workload"})
	given.refused(write({"workload": object.union(workload, {"found": false})}), {"other_workload"})
	given.refused(write({}), {"other_workload"})
}

test_a_checkpoint_of_a_workload_that_is_gone_is_not_written if {
	gone := {"related": {"workload": object.union(workload, {"found": false})}}
	request := given.evaluation("write", {
		"resource": given.resource("checkpoint", "c1", gone),
		"subject": given.subject("job", "j1", {"related": {"workload": workload}}),
	})
	given.refused(request, {"other_workload"})
}

test_only_what_is_missing_is_told if {
	request := given.evaluation("read", {
		"resource": given.resource("plan", "p1", {"attributes": {"classification": 1}}),
		"subject": given.subject("agent", "a1", {"attributes": {"clearance": 1}}),
	})
	given.refused(request, {"other_workload"})
}

test_rules_for_programs_are_not_for_people if {
	request := given.evaluation("burn", {"resource": given.resource("canteen", "main", {})})
	given.refused(request, {"not_permitted"})
}

report(clearance, classification) := given.evaluation("read", {
	"resource": given.resource("report", "r1", {"attributes": {"classification": classification}}),
	"subject": given.subject("agent", "a1", {"attributes": {"clearance": clearance}}),
})

test_clearance_must_reach_the_classification if {
	given.allowed(report(2, 2))
	given.refused(report(1, 2), {"not_cleared"})
}

# Rego orders values of different types, so "1" would be above every number.
test_only_numbers_are_clearances if {
	given.refused(report("9", 2), {"not_cleared"})
	given.refused(report(2, null), {"not_cleared"})
}

test_every_condition_of_the_shipped_data_has_a_failure if {
	wanted := {condition |
		some types in data.access.constraints
		some actions in types
		some conditions in actions
		some condition in conditions
	} | {condition |
		some types in data.access.programs
		some actions in types
		some conditions in actions
		some condition in conditions
	}
	wanted - object.keys(abac.failures) == set()
}
