// pg_get_catalog_foreign_keys: which columns of catalogs hold which other catalogs' keys. They are OIDs, or (table, column) of
// pg_attribute. a: an array of them, o: zero is none.
import { makeArray, type Datum } from '../types/datum.ts';
import { relationOidByName } from '../catalog/syscache.ts';
import * as ids from '../catalog/oids.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { TEXTOID } from '../types/oids.ts';
import { rowMaker } from './set_results.ts';

const KEYS = `
  pg_proc pronamespace>pg_namespace proowner>pg_authid prolang>pg_language provariadic>pg_type:o prosupport>pg_proc:o prorettype>pg_type proargtypes>pg_type:a proallargtypes>pg_type:a protrftypes>pg_type:a
  pg_type typnamespace>pg_namespace typowner>pg_authid typrelid>pg_class:o typsubscript>pg_proc:o typelem>pg_type:o typarray>pg_type:o typinput>pg_proc typoutput>pg_proc typreceive>pg_proc:o typsend>pg_proc:o typmodin>pg_proc:o typmodout>pg_proc:o typanalyze>pg_proc:o typbasetype>pg_type:o typcollation>pg_collation:o
  pg_attribute attrelid>pg_class atttypid>pg_type:o attcollation>pg_collation:o
  pg_class relnamespace>pg_namespace reltype>pg_type:o reloftype>pg_type:o relowner>pg_authid relam>pg_am:o reltablespace>pg_tablespace:o reltoastrelid>pg_class:o relrewrite>pg_class:o
  pg_attrdef adrelid>pg_class adrelid,adnum>pg_attribute
  pg_constraint connamespace>pg_namespace conrelid>pg_class:o contypid>pg_type:o conindid>pg_class:o conparentid>pg_constraint:o confrelid>pg_class:o conpfeqop>pg_operator:a conppeqop>pg_operator:a conffeqop>pg_operator:a conexclop>pg_operator:a conrelid,conkey>pg_attribute:ao confrelid,confkey>pg_attribute:a
  pg_inherits inhrelid>pg_class inhparent>pg_class
  pg_index indexrelid>pg_class indrelid>pg_class indcollation>pg_collation:ao indclass>pg_opclass:a indrelid,indkey>pg_attribute:ao
  pg_operator oprnamespace>pg_namespace oprowner>pg_authid oprleft>pg_type:o oprright>pg_type oprresult>pg_type:o oprcom>pg_operator:o oprnegate>pg_operator:o oprcode>pg_proc:o oprrest>pg_proc:o oprjoin>pg_proc:o
  pg_opfamily opfmethod>pg_am opfnamespace>pg_namespace opfowner>pg_authid
  pg_opclass opcmethod>pg_am opcnamespace>pg_namespace opcowner>pg_authid opcfamily>pg_opfamily opcintype>pg_type opckeytype>pg_type:o
  pg_am amhandler>pg_proc
  pg_amop amopfamily>pg_opfamily amoplefttype>pg_type amoprighttype>pg_type amopopr>pg_operator amopmethod>pg_am amopsortfamily>pg_opfamily:o
  pg_amproc amprocfamily>pg_opfamily amproclefttype>pg_type amprocrighttype>pg_type amproc>pg_proc
  pg_language lanowner>pg_authid lanplcallfoid>pg_proc:o laninline>pg_proc:o lanvalidator>pg_proc:o
  pg_largeobject_metadata lomowner>pg_authid
  pg_largeobject loid>pg_largeobject_metadata
  pg_aggregate aggfnoid>pg_proc aggtransfn>pg_proc aggfinalfn>pg_proc:o aggcombinefn>pg_proc:o aggserialfn>pg_proc:o aggdeserialfn>pg_proc:o aggmtransfn>pg_proc:o aggminvtransfn>pg_proc:o aggmfinalfn>pg_proc:o aggsortop>pg_operator:o aggtranstype>pg_type aggmtranstype>pg_type:o
  pg_statistic starelid>pg_class staop1>pg_operator:o staop2>pg_operator:o staop3>pg_operator:o staop4>pg_operator:o staop5>pg_operator:o stacoll1>pg_collation:o stacoll2>pg_collation:o stacoll3>pg_collation:o stacoll4>pg_collation:o stacoll5>pg_collation:o starelid,staattnum>pg_attribute
  pg_statistic_ext stxrelid>pg_class stxnamespace>pg_namespace stxowner>pg_authid stxrelid,stxkeys>pg_attribute:a
  pg_statistic_ext_data stxoid>pg_statistic_ext
  pg_rewrite ev_class>pg_class
  pg_trigger tgrelid>pg_class tgparentid>pg_trigger:o tgfoid>pg_proc tgconstrrelid>pg_class:o tgconstrindid>pg_class:o tgconstraint>pg_constraint:o tgrelid,tgattr>pg_attribute:a
  pg_event_trigger evtowner>pg_authid evtfoid>pg_proc
  pg_description classoid>pg_class
  pg_cast castsource>pg_type casttarget>pg_type castfunc>pg_proc:o
  pg_enum enumtypid>pg_type
  pg_namespace nspowner>pg_authid
  pg_conversion connamespace>pg_namespace conowner>pg_authid conproc>pg_proc
  pg_depend classid>pg_class refclassid>pg_class
  pg_database datdba>pg_authid dattablespace>pg_tablespace
  pg_db_role_setting setdatabase>pg_database:o setrole>pg_authid:o
  pg_tablespace spcowner>pg_authid
  pg_auth_members roleid>pg_authid member>pg_authid grantor>pg_authid
  pg_shdepend dbid>pg_database:o classid>pg_class refclassid>pg_class
  pg_shdescription classoid>pg_class
  pg_ts_config cfgnamespace>pg_namespace cfgowner>pg_authid cfgparser>pg_ts_parser
  pg_ts_config_map mapcfg>pg_ts_config mapdict>pg_ts_dict
  pg_ts_dict dictnamespace>pg_namespace dictowner>pg_authid dicttemplate>pg_ts_template
  pg_ts_parser prsnamespace>pg_namespace prsstart>pg_proc prstoken>pg_proc prsend>pg_proc prsheadline>pg_proc:o prslextype>pg_proc
  pg_ts_template tmplnamespace>pg_namespace tmplinit>pg_proc:o tmpllexize>pg_proc
  pg_extension extowner>pg_authid extnamespace>pg_namespace extconfig>pg_class:a
  pg_foreign_data_wrapper fdwowner>pg_authid fdwhandler>pg_proc:o fdwvalidator>pg_proc:o
  pg_foreign_server srvowner>pg_authid srvfdw>pg_foreign_data_wrapper
  pg_user_mapping umuser>pg_authid:o umserver>pg_foreign_server
  pg_foreign_table ftrelid>pg_class ftserver>pg_foreign_server
  pg_policy polrelid>pg_class polroles>pg_authid:ao
  pg_default_acl defaclrole>pg_authid defaclnamespace>pg_namespace:o
  pg_init_privs classoid>pg_class
  pg_seclabel classoid>pg_class
  pg_shseclabel classoid>pg_class
  pg_collation collnamespace>pg_namespace collowner>pg_authid
  pg_partitioned_table partrelid>pg_class partdefid>pg_class:o partclass>pg_opclass:a partcollation>pg_collation:ao partrelid,partattrs>pg_attribute:ao
  pg_range rngtypid>pg_type rngsubtype>pg_type rngmultitypid>pg_type rngcollation>pg_collation:o rngsubopc>pg_opclass rngcanonical>pg_proc:o rngsubdiff>pg_proc:o
  pg_transform trftype>pg_type trflang>pg_language trffromsql>pg_proc:o trftosql>pg_proc:o
  pg_sequence seqrelid>pg_class seqtypid>pg_type
  pg_publication pubowner>pg_authid
  pg_publication_namespace pnpubid>pg_publication pnnspid>pg_namespace
  pg_publication_rel prpubid>pg_publication prrelid>pg_class
  pg_subscription subdbid>pg_database subowner>pg_authid
  pg_subscription_rel srsubid>pg_subscription srrelid>pg_class
`;

registerBuiltins({
  set: {
    * pg_get_catalog_foreign_keys(c): Generator<Datum> {
      const { row } = rowMaker(c);
      for (const line of KEYS.trim().split('\n')) {
        const [table, ...keys] = line.trim().split(' ') as [string, ...string[]];
        for (const key of keys) {
          const [, columns, other, flags] = /^([^>]+)>([^:]+):?(.*)$/.exec(key) as unknown as [string, string, string, string];
          yield row([
            relationOidByName(table, ids.PG_CATALOG_NAMESPACE), makeArray(TEXTOID, columns.split(',')), relationOidByName(other, ids.PG_CATALOG_NAMESPACE),
            makeArray(TEXTOID, other === 'pg_attribute' ? ['attrelid', 'attnum'] : ['oid']), flags.includes('a'), flags.includes('o'),
          ]);
        }
      }
    },
  },
});
