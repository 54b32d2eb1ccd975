/** The code made from the wire schema is that of the schema as it is now. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'

const SCHEMA = 'src/protocol/wire.proto'
const GENERATED = 'src/protocol/generated/wire.ts'

it('src/protocol/generated is what `npm run generate` makes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hearsay-generated-'))
  try {
    await execa({ preferLocal: true })`protons --output ${folder} --strict ${SCHEMA}`
    const made = await readFile(join(folder, 'wire.ts'), 'utf8')
    expect(await readFile(GENERATED, 'utf8')).toBe(made)
  } finally {
    await rm(folder, { recursive: true })
  }
})
