/**
 * A peer's identity: an Ed25519 key, whose public half is its peer id. Made anew at each start, or kept in a file
 * that only its owner can read.
 */
import { open, readFile } from 'node:fs/promises'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { IdentityError } from '../../errors.js'

/** Reads the key in `file`, or makes one and writes it there; without a file, makes one. @throws IdentityError */
export async function loadIdentity(file?: string): Promise<PrivateKey> {
  if (file === undefined) return await generateKeyPair('Ed25519')
  try {
    return await readIdentity(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return await createIdentity(file)
    if (error instanceof IdentityError) throw error
    throw new IdentityError(`cannot read the identity in ${file}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function readIdentity(file: string): Promise<PrivateKey> {
  const bytes = await readFile(file)
  let key: PrivateKey
  try {
    key = privateKeyFromProtobuf(bytes)
  } catch (cause) {
    throw new IdentityError(`${file} does not hold a private key`, { cause })
  }
  if (key.type !== 'Ed25519') {
    throw new IdentityError(`${file} holds a key of type ${key.type}, only Ed25519 is used`)
  }
  return key
}

async function createIdentity(file: string): Promise<PrivateKey> {
  const key = await generateKeyPair('Ed25519')
  try {
    // `wx`: of two processes that start at once with one file, one writes and the other reads.
    const handle = await open(file, 'wx', 0o600)
    await handle.writeFile(privateKeyToProtobuf(key))
    await handle.close()
    return key
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return await readIdentity(file)
    throw new IdentityError(`cannot write an identity to ${file}: ${(cause as Error).message}`, {
      cause,
    })
  }
}
