; The first letters of a name: an example of the SyGuS-IF format (programming by examples).
(set-logic SLIA)
(synth-fun initials ((name String)) String)
(constraint (= (initials "Ada Lovelace") "A.L."))
(constraint (= (initials "Grace Brewster Hopper") "G.B.H."))
(constraint (= (initials "Emmy Noether") "E.N."))
(check-synth)
