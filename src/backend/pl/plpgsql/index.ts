// Makes the language known (pl_handler.c).
import { registerLanguageCommands } from '../../commands/functioncmds.ts';
import { registerLanguageHandler } from '../../executor/fmgr_info.ts';
import { discardHooks } from '../../commands/variable.ts';
import { forgetFunctions, makeFunction, runInline, validate } from './handler.ts';

const CALL_HANDLER = 'plpgsql_call_handler';

registerLanguageHandler(CALL_HANDLER, makeFunction);
registerLanguageCommands(CALL_HANDLER, { validate, runInline });
discardHooks.plans.push(forgetFunctions);
