#!/usr/bin/env node
/**
 * The bin: runs the command line and turns what came of it into an exit code.
 */
import { exitAfterOutput, tolerateClosedPipes } from './output.js'
import { failedUnexpectedly, run } from './program.js'

tolerateClosedPipes()
process.on('uncaughtException', (error) => process.exit(failedUnexpectedly(error)))
exitAfterOutput(await run(process.argv.slice(2)))
