import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { importPayloads, makeWorkload, WORKLOAD } from './workload.ts'

test('the workload is fixed: whoever changes it gives it a new name', () => {
  const digest = createHash('sha256').update(JSON.stringify(makeWorkload())).digest('hex')
  expect([WORKLOAD, digest]).toEqual([
    'access-3r5f',
    '3bcb9bcd54d55dff986ceddfbd74c5098663f57e5a3cf33ed75b23ab993fb474',
  ])
})

test('the imports hold every subject and resource once, and fit into one batch each', () => {
  const workload = makeWorkload()
  const payloads = importPayloads(workload) as { subjects?: object[]; resources?: object[] }[]
  expect(payloads.flatMap(({ subjects = [] }) => subjects)).toEqual(workload.subjects)
  expect(payloads.flatMap(({ resources = [] }) => resources)).toEqual(workload.resources)
  for (const { subjects = [], resources = [] } of payloads)
    expect(2 * subjects.length + resources.length).toBeLessThanOrEqual(900)
})
