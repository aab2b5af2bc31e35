// Input and output of pseudo-types: most refuse, a few exist for the look of it.
import { registerBuiltins, type PureFunction } from './fmgr.ts';
import { cannotAccept, cannotDisplay } from './errors.ts';

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

registerBuiltins({ pure: functions });
