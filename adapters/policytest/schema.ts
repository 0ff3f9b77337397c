/** What a table may say: one closed schema, published as JSON Schema 2020-12 in docs/policy-cases.schema.json. */
import { z } from 'zod'
import type { Json } from '../../core/json.ts'
import type { TableFile } from './table.ts'

const json = z.json() as z.ZodType<Json>
const object = z.record(z.string(), json)
const reason = z.union([
  z.string(),
  z.strictObject({
    code: z.string(),
    rule: z.string().exactOptional(),
    message: z.string().exactOptional(),
  }),
])

/** What stands for an input: members that are given are put over those of `defaults`, objects member by member. */
const given = {
  query: z
    .string()
    .regex(/^[\w-]+([./][\w-]+)*$/)
    .exactOptional()
    .describe(
      'The rule that is asked, such as assay/access/decision. Default: the decision of the folder.',
    ),
  input: object.exactOptional().describe('What the rules see as input.'),
  facts: object.exactOptional().describe('In place of input.facts.'),
  request: object.exactOptional().describe('In place of input.request.'),
  now: z.int().exactOptional().describe('In place of input.now: seconds since 1970.'),
  data: object
    .exactOptional()
    .describe('Put over the data of the folder, objects member by member.'),
}

const expectation = z
  .strictObject({
    allow: z.boolean().exactOptional(),
    reasons: z
      .array(reason)
      .exactOptional()
      .describe('All of them, in any order: codes, or codes with their rules.'),
    effects: z.array(json).exactOptional(),
    obligations: z.array(json).exactOptional(),
    output: json.exactOptional(),
    value: json.exactOptional().describe('The whole answer.'),
    undefined: z.literal(true).exactOptional().describe('The rule has no value for this input.'),
  })
  .refine((expected) => Object.keys(expected).length > 0, 'expect something')
  .describe('Each member must be equal to that of the answer; what is not named is not looked at.')

export const tableSchema: z.ZodType<TableFile> = z.strictObject({
  $schema: z.string().exactOptional(),
  defaults: z.strictObject(given).exactOptional().describe('What every case begins with.'),
  cases: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('What is shown; unique in its file.'),
        ...given,
        absent: z
          .array(z.string())
          .exactOptional()
          .describe(
            'Paths such as facts.subject.attributes that are taken out of the input at last.',
          ),
        expect: expectation,
      }),
    )
    .min(1)
    .check(({ issues, value }) => {
      const names = value.map(({ name }) => name)
      for (const [at, name] of names.entries())
        if (names.indexOf(name) < at)
          issues.push({
            code: 'custom',
            input: name,
            message: 'another case has this name',
            path: [at, 'name'],
          })
    }),
})

/** The format as JSON Schema 2020-12: what docs/policy-cases.schema.json holds. */
export function tableJsonSchema(): object {
  const title = 'A table of cases for assay policy test'
  return { title, ...z.toJSONSchema(tableSchema, { target: 'draft-2020-12', io: 'input' }) }
}
