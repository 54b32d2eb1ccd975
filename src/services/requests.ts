/**
 * One question, one answer: a channel of its own for each request, with a deadline on the injected scheduler.
 */
import type { Codec } from '../protocol/codec.js'
import type { Channel, Scheduler, Transport } from './ports.js'

/** No answer came in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/** Settles like `work`, but not later than `timeoutMs` from now. `onTimeout` ends what is still going on. */
export async function withDeadline<T>(
  scheduler: Scheduler,
  timeoutMs: number,
  work: Promise<T>,
  onTimeout: (error: DeadlineError) => void = () => {},
): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const timer = scheduler.after(timeoutMs, () => {
      const error = new DeadlineError(`no answer within ${timeoutMs} ms`)
      onTimeout(error)
      reject(error)
    })
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** Reads one frame. @throws when the channel ends without one */
export async function readFrame(frames: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const { value, done } = await frames[Symbol.asyncIterator]().next()
  if (done) throw new Error('the other side closed without an answer')
  return value
}

/** Opens a channel, sends `request` and reads the one answer. @throws DeadlineError, ProtocolError, or what the transport throws */
export async function ask<Request, Reply>(
  { transport, scheduler }: { readonly transport: Transport; readonly scheduler: Scheduler },
  to: { readonly id: string; readonly protocol: string; readonly timeoutMs: number },
  codecs: { readonly request: Codec<Request>; readonly reply: Codec<Reply> },
  request: Request,
): Promise<Reply> {
  let channel: Channel | undefined
  let expired: Error | undefined
  const exchange = async (): Promise<Reply> => {
    channel = await transport.open(to.id, to.protocol)
    // The deadline may have passed while the channel was being opened.
    if (expired !== undefined) channel.abort(expired)
    await channel.send(codecs.request.encode(request))
    const reply = codecs.reply.decode(await readFrame(channel.frames))
    await channel.close()
    return reply
  }
  try {
    return await withDeadline(scheduler, to.timeoutMs, exchange(), (error) => {
      expired = error
      channel?.abort(error)
    })
  } catch (error) {
    channel?.abort(error as Error)
    throw error
  }
}
