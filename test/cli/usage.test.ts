/**
 * What the command line answers to those who call it wrongly, and to those who ask how it is
 * called.
 */
import { describe, expect, it } from 'vitest'
import { hearsay } from './harness.js'

/** Called wrongly, and what the message has to name. */
const BAD_USAGE: readonly [args: string, ...named: (string | RegExp)[]][] = [
  ['nope', "'nope'"],
  ['start --nope', "'--nope'"],
  ['start --max-bytes lots', '--max-bytes', '"lots"', '512mb'],
  ['start --max-bytes 5kb', '--max-bytes', '1048576'],
  ['start --max-items 0', '--max-items', '0', 'at least 1'],
  ['start --replicas 0', '--replicas', '0', 'from 1 to 16'],
  ['start --replicas 17', '--replicas', '17', 'from 1 to 16'],
  ['start --replicas some', `--replicas: "some" must be a whole number from 1 to 16, or 'all'`],
  ['start --replicas 2.5', `--replicas: "2.5" must be a whole number from 1 to 16, or 'all'`],
  ['start --role observer', '--role', '"observer"', "'owner'", "'client'"],
  ['start --near-bytes-max lots', '--near-bytes-max', '"lots"', '512mb'],
  ['start --hint-bytes-max 5kb', '--hint-bytes-max', '5000', '1048576'],
  ['start --hint-age-max-ms 5', '--hint-age-max-ms', '5', '1000 ms'],
  [
    'start --hint-age-max-ms 6000 --tombstone-grace-ms 10000',
    '--hint-age-max-ms: 6000 is more than half of --tombstone-grace-ms, 10000',
  ],
  ['start --listen /ip4/0.0.0.0/tcp/0', '--listen', '/ip4/0.0.0.0/tcp/0', 'loopback'],
  ['start --listen 127.0.0.1:4001', '--listen', '127.0.0.1:4001', '/ip4/127.0.0.1/tcp/0'],
  ['start --announce 127.0.0.1:4001', '--announce', 'multiaddr'],
  ['start --bootstrap cache:4001', '--bootstrap', 'cache:4001', 'dns://host:port'],
  ['start --http 0.0.0.0:0', '--http', '0.0.0.0:0'],
  ['start --http 127.0.0.1:99999', '--http', '127.0.0.1:99999'],
  ['start --mesh a/b', '--mesh', '"a/b"'],
  ['start --heartbeat-interval-ms 1', '--heartbeat-interval-ms', '1', '20 ms'],
  ['start --heartbeat-interval-ms soon', '--heartbeat-interval-ms', '"soon"'],
  [
    'start --suspicion-min-ms 9000 --suspicion-max-ms 8000',
    '--suspicion-min-ms: 9000 is more than --suspicion-max-ms, 8000',
  ],
  ['start --log-level loud', '--log-level', 'loud', 'warn'],
  ['start here', 'too many arguments'],
  ['up 0', 'N', '0', '1 to 50'],
  ['up -1', 'N', '-1', '1 to 50'],
  ['up 3.5', 'N', '3.5', '1 to 50'],
  ['up 1000', 'N', '1000', '1 to 50'],
  ['up many', 'N', 'many', '1 to 50'],
  ['up 3 --mesh ?', '--mesh', '"?"'],
  ['up 3 --http-from 70000', '--http-from', '70000', '65535'],
  ['chaos --peers 2', '--peers', '2', 'from 3 to 20'],
  ['chaos --for 4', '--for', '4', 'from 5 to 3600'],
  ['chaos --seed x', '--seed', 'x', 'from 0 to 4294967295'],
  ['chaos --faults kill,flood', '--faults', '"flood"', 'kill, pause, partition, slow, clock'],
  ['chaos --faults ,', '--faults', '","', 'kill, pause, partition, slow, clock'],
  ['chaos --ack some', '--ack', "'some'", 'none, one, quorum, all'],
  ['chaos --peers 4 --replicas 5', '--replicas: 5 is more than --peers, 4'],
  ['get demo', "'key'"],
  ['get demo key --peer 127.0.0.1:7700', '--peer', '"127.0.0.1:7700"', 'http://'],
  ['get demo key --peer ftp://127.0.0.1', '--peer', 'ftp://127.0.0.1'],
  ['get demo ..', '".."'],
  ['set demo key', "'value'"],
  ['set demo key value --ttl -1', '--ttl', '-1'],
  ['set demo key value --ttl soon', '--ttl', 'soon'],
  ['set demo key value --type xml', '--type', 'xml', 'text, json, bytes'],
  ['set demo key {a --type json', '--type json', '{a'],
  ['set demo key value --ack some', '--ack', "'some'", 'none, one, quorum, all'],
  ['delete demo key --ack some', '--ack', "'some'", 'none, one, quorum, all'],
  ['get demo key --consistency all', '--consistency', "'all'", 'local, one, quorum'],
  ['join', "'addr'"],
  ['join foo', 'ADDR: "foo" is neither a multiaddr such as /ip4/127.0.0.1/tcp/4001', 'dns://'],
  // Two spaces: an empty word between them.
  ['get demo ', 'a key must not be empty'],
  ['set demo  x', 'a key must not be empty'],
  ['delete demo ', 'a key must not be empty'],
  ['explain demo ', 'a key must not be empty'],
  ['set  key x', 'the name of a cache must not be empty'],
]

describe('bad usage', () => {
  it.each(BAD_USAGE)(
    'exits 2 at `hearsay %s`, naming flag, value and limit',
    async (args, ...named) => {
      const { exitCode, stdout, stderr } = await hearsay(args.split(' '))
      expect(exitCode).toBe(2)
      expect(stdout).toBe('')
      for (const name of named) expect(stderr).toContain(name)
      expect(stderr).not.toMatch(/^\s+at /m)
    },
  )

  it('exits 2 and shows the help when no command is given', async () => {
    const { exitCode, stderr } = await hearsay([])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('Usage: hearsay')
  })

  it('says it as one JSON object where JSON is asked for', async () => {
    for (const args of ['start --nope --json', 'start --max-bytes lots --json', 'up 0 --json']) {
      const { exitCode, stdout, stderr } = await hearsay(args.split(' '))
      expect(exitCode).toBe(2)
      expect(stdout).toBe('')
      expect(JSON.parse(stderr)).toEqual({
        error: { code: 'BAD_USAGE', message: expect.any(String) },
      })
    }
  })

  it('names the variable that holds a bad URL', async () => {
    const { exitCode, stderr } = await hearsay(['members'], { env: { HEARSAY_PEER: 'nowhere' } })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('HEARSAY_PEER')
    expect(stderr).toContain('"nowhere"')
  })
})

describe('help', () => {
  const commands =
    'start up demo chaos get set delete explain members stats events join forget sync'.split(' ')

  it.each(commands)('of %s says what it does, and gives an example', async (command) => {
    const { exitCode, stdout } = await hearsay([command, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`Usage: hearsay ${command}`)
    expect(stdout).toContain('--json')
    expect(stdout).toMatch(new RegExp(`Examples?:\\n {2}\\$ hearsay ${command}`))
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('lists every command', async () => {
    const { exitCode, stdout } = await hearsay(['--help'])
    expect(exitCode).toBe(0)
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
  })

  it('says which version it is', async () => {
    const { exitCode, stdout } = await hearsay(['--version'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
