// Input and output of pseudo-types: most refuse, a few exist for the look of it.
import { PgError } from '../../common/errors.ts';
import type { Oid } from './datum.ts';
import { registerBuiltins, type PureFunction } from './fmgr.ts';
import { cannotAccept, cannotDisplay } from './errors.ts';
import { typeHooks } from './hooks.ts';
import { sendText } from './wire.ts';

const functions: Record<string, PureFunction> = {
  void_in: () => '',
  void_out: () => '',
  void_recv: () => '',
  void_send: () => new Uint8Array(0),
  // Their output functions are those of the actual type: see array_io.ts.
  anycompatiblearray_in: () => {
    throw cannotAccept('anycompatiblearray');
  },
  anyarray_in: () => {
    throw cannotAccept('anyarray');
  },
};

/** Types whose values have no text form. */
for (const type of ['any', 'anyelement', 'anynonarray', 'anycompatible', 'anycompatiblenonarray', 'trigger',
  'event_trigger', 'language_handler', 'fdw_handler', 'table_am_handler', 'index_am_handler', 'tsm_handler', 'internal',
  'pg_ddl_command']) {
  functions[`${type}_in`] = () => {
    throw cannotAccept(type);
  };
  functions[`${type}_out`] = () => {
    throw cannotDisplay(type);
  };
}

for (const type of ['anyenum', 'anyrange', 'anymultirange', 'anycompatiblerange', 'anycompatiblemultirange', 'pg_node_tree',
  'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'brin_bloom_summary', 'brin_minmax_multi_summary']) {
  functions[`${type}_in`] = () => {
    throw cannotAccept(type);
  };
}
functions['pg_node_tree_out'] = (value: string) => value;
for (const type of ['anyarray', 'anycompatiblearray', 'pg_node_tree']) {
  functions[`${type}_recv`] = () => {
    throw cannotAccept(type);
  };
}
functions['pg_node_tree_send'] = sendText;
for (const name of ['shell_in', 'shell_out']) {
  functions[name] = () => {
    throw new PgError('feature_not_supported', `cannot ${name === 'shell_in' ? 'accept' : 'display'} a value of a shell type`);
  };
}
// Domains: their base type's functions, then their constraints.
functions['domain_in'] = (text: string | null, typeOid: Oid, typmod: number) =>
  (text === null ? typeHooks.typeIo(typeOid).checkDomain!(null) : typeHooks.typeIo(typeOid).input(text, typmod));
functions['domain_recv'] = (bytes: Uint8Array, typeOid: Oid, typmod: number) => typeHooks.typeIo(typeOid).receive(bytes, typmod);

// No value is kept compressed by itself, whatever COMPRESSION a column has been given.
functions['pg_column_compression'] = () => null;

registerBuiltins({ pure: functions });
