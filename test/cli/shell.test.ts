/** Words that come back from a shell as they went in. */
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { shellQuoted } from '../../src/cli/shell.js'

describe('shellQuoted', () => {
  it('leaves alone what a shell takes as it stands', () => {
    const words = ['--bootstrap', '/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWabc', '--mesh', 'a.b_c-1']
    expect(shellQuoted(words)).toBe(words.join(' '))
  })

  it('quotes the rest', async () => {
    const words = ['/dns4/a b;c/tcp/1', "it's", '$HOME', '`id`', '"', '*', '~', '', '\\', 'ключ']
    const script = `printf '%s\\n' ${shellQuoted(words)}`
    const { stdout } = await execa('sh', ['-c', script])
    expect(stdout.split('\n')).toEqual(words)
  })
})
