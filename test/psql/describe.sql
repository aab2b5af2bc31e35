-- ==== d
\d
-- ==== d+
\d+
-- ==== dt
\dt
\dt+
\dt s.*
\dt s.par*
\dtS pg_cl*
\dt nix
\dt a.b.c.d
\dt other.s.t
\dt "We ird"
\dt We?ird
-- ==== dt quiet [-q]
\dt nix
-- ==== dv
\dv
\dv+
\dm
\dm+
\dE
\dE+
-- ==== di
\di
\di+
\di child*
-- ==== ds
\ds
\ds+
-- ==== dtvs
\dtvs
\dtvmsE+ *.*ar*
-- ==== d one table
\d child
\d+ child
-- ==== d parent
\d s.parent
\d+ s.parent
-- ==== d all
\d *
-- ==== d+ all
\d+ *
-- ==== d missing
\d nix
\d s.nix
-- ==== d system
\d pg_class
\dS+ pg_am
\d pg_toast.pg_toast_2600
\d+ pg_toast.pg_toast_2600
\d pg_stat_activity
\d+ pg_user
-- ==== d hidden [-E]
\d child
\d+ v
\d seq
-- ==== d expanded [-x]
\d child
\dt
-- ==== d tuples only [-t]
\d v
\dt child
-- ==== d unaligned [-A]
\d child
\dt child
-- ==== l
\l postgres
\l+ templ*
-- ==== dn
\dn
\dn+
\dnS
\dn s
\dn+ public
-- ==== du
\du
\du+
\duS
\du r_*
\dg postgres
-- ==== df
\df
\df+
\df f
\df f int
\df f integer text
\df f int -
\dfa
\dfn
\dfp
\dft
\dfw
\dfat
\df pg_catalog.abs
\df abs int
\df *.abs bigint
\dfx
-- ==== dfS
\dfS+ abs
\dfS a*
-- ==== da
\da
\daS sum
\da *.count
-- ==== do
\do
\doS = int int
\doS - int
\do+ ===
\doS ~ text
-- ==== dp
\dp
\dp child
\z v
\dp s.*
-- ==== dT
\dT
\dT+
\dT en
\dTS int*
\dT int4
\dTS+ bool
\dT *[]
-- ==== dD
\dD
\dD+
\dD dom
-- ==== dC
\dC en
\dC+ en
\dC int
-- ==== dx
\dx
\dx+
\dx plp*
\dx+ nix
-- ==== db
\db
\db+
-- ==== dO
\dO
\dO+
\dOS ucs*
-- ==== dc
\dcS utf8_to_win1250
\dcS+ utf8_to_win1250
\dc
-- ==== ddp
\ddp
\ddp s
-- ==== drds
\drds
\drds nix
\drds nix nix
-- ==== dL
\dL
\dL+
\dLS
-- ==== dA
\dA
\dA+
\dA b*
-- ==== dy
\dy
\dy+
-- ==== dconfig
\dconfig work_mem
\dconfig+ work_m*
-- ==== dl
\dl
\lo_list
\dl+
-- ==== sf
\sf f
\sf trf()
\sf+ trf
\sf nix
\sf
\sf+ abs(int)
-- ==== sv
\sv v
\sv+ v
\sv vc
\sv child
\sv pg_user
-- ==== unknown
\dq
\dZ
-- ==== dd
\dd
\ddS
\dd nix
\dd child*
-- ==== dP
\dP
\dP+
\dPt
\dPi
\dPn
\dPtn+
\dP part
\dPi+ *
-- ==== dF
\dF
\dF eng*
\dF+ simple
\dF+ nix
\dFd e*
\dFd+ simple
\dFp
\dFp+ default
\dFp+ nix
\dFt
\dFt+ simple
-- ==== foreign data
\des
\des+
\dew
\dew+ fdw
\det
\det+ ft
\deu
\deu+
-- ==== publications
\dRp
\dRp+
\dRp+ nix
\dRs
\dRs+
-- ==== dX
\dX
\dX st*
\dX s.*
-- ==== operator classes
\dAc brin int4
\dAc+ hash bool
\dAf hash int4
\dAf+ btree bool
\dAo hash bool_ops
\dAo+ btree integer_ops
\dAp btree bool_ops
\dAp+ btree bool_ops
