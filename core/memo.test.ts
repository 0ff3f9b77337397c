import { expect, it } from 'vitest'
import { Memo } from './memo.ts'

const asked = (memo: Memo<string>, key: string): boolean => {
  let made = false
  const answer = memo.get(key, () => {
    made = true
    return `answer to ${key}`
  })
  expect(answer).toBe(`answer to ${key}`)
  return made
}

it('makes an answer once for as long as it is asked for', () => {
  const memo = new Memo<string>(3)
  expect(asked(memo, 'often')).toBe(true)
  for (let i = 0; i < 50; i++) {
    expect(asked(memo, `once ${i}`)).toBe(true)
    expect(asked(memo, 'often')).toBe(false)
  }
})

it('forgets what is asked for no more', () => {
  const memo = new Memo<string>(3)
  asked(memo, 'first')
  for (let i = 0; i < 6; i++) asked(memo, `later ${i}`)
  expect(asked(memo, 'first')).toBe(true)
})

it('does not keep what threw', () => {
  const memo = new Memo<string>(3)
  const failing = (): string => {
    throw new RangeError('no answer')
  }
  expect(() => memo.get('key', failing)).toThrow(RangeError)
  expect(asked(memo, 'key')).toBe(true)
})
