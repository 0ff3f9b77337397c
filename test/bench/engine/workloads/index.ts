/** The workloads, in the order of the tables. */
import { abac } from './abac.ts'
import { capability } from './capability.ts'
import { rbac, rbacIndexed } from './rbac.ts'
import type { Workload } from './workload.ts'

export const WORKLOADS: readonly Workload[] = [rbac, rbacIndexed, abac, capability]
