import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { bytes, text } from '../../../test/conformance/bytes.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { dynamoPlaces } from '../../../test/conformance/store/dynamodb.ts'
import { integrated, key, put, sorts, write } from '../../../test/conformance/store/subject.ts'
import { openDynamo } from './index.ts'

const places = dynamoPlaces('opened')

test('who only reads changes nothing, and sees what writers do', async () => {
  const place = await places()
  const writer = await openDynamo(place)
  const reader = await openDynamo({ ...place, readOnly: true })
  await writer.store.commit([{ writes: [put('a', '1')], leaf: bytes('leaf') }])
  expect(text((await reader.store.get(key('a')))?.value)).toBe('1')
  expect(await refusal(write(reader.store, put('b', '1')))).toBe('read_only')
  expect(await reader.log.integrate()).toMatchObject({ size: 0n, leads: false })
  await integrated(writer.log)
  expect(await reader.log.size()).toBe(1n)
  for (const { log, store } of [reader, writer]) {
    await store.close()
    await log.close()
  }
})

test('logs in one table are strangers', async () => {
  const [one, other] = [await openDynamo(await places()), await openDynamo(await places())]
  await one.store.commit([{ writes: [put('a', '1')], leaf: bytes('leaf') }])
  expect(await sorts(other.store)).toEqual([])
  await integrated(other.log)
  expect(await other.log.size()).toBe(0n)
  await integrated(one.log)
  expect(await one.log.size()).toBe(1n)
  for (const { log, store } of [one, other]) {
    await store.close()
    await log.close()
  }
})

test.each(['', 'a|r', 'a b', '|', 'x'.repeat(65)])('"%s" is no prefix', async (prefix) => {
  expect(await refusal(openDynamo({ ...(await places()), prefix }))).toBe('misconfigured')
})

/** Resolves nothing of AWS, as where it was never installed. */
const WITHOUT_SDK = `
import { registerHooks } from 'node:module'
registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.startsWith('@aws-sdk/')) return next(specifier, context)
    throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})`
const OPEN = `
const [{ openDynamo }, { systemClock }] = await Promise.all(process.argv.slice(1).map((path) => import(path)))
const place = { table: 'none', region: 'none', prefix: 'none', clock: systemClock }
await openDynamo(place).catch(({ code, message }) => console.log(JSON.stringify([code, message])))`

test('without the SDK it says how to get it', async () => {
  const hook = `data:text/javascript,${encodeURIComponent(WITHOUT_SDK)}`
  const modules = ['./index.ts', '../../clock/system.ts'].map((path) => import.meta.resolve(path))
  const args = ['--import', hook, '--input-type=module', '-e', OPEN, ...modules]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const [code, message] = JSON.parse(stdout) as [string, string]
  expect(code).toBe('misconfigured')
  expect(message).toContain('npm install @aws-sdk/client-dynamodb')
})
