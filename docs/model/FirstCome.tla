----------------------------- MODULE FirstCome -----------------------------
(* Claim, lease, fence, replay and repair of one campaign. See README.md of this folder. *)
EXTENDS Integers, FiniteSets, TLC

CONSTANTS
  Users,       \* who claims
  FirstQuota,  \* the quota at creation
  LastQuota,   \* to which it may be raised
  Workers,     \* consumers and batches; each may stop for any time and go on
  Faults,      \* how many crashes, lost leases, failed calls, lost answers and lost rows there may be in all
  MaxAttempts, \* counted attempts before an event is dead
  Mutant       \* the name of a planted bug, or "none"

None == "none"
NoSeat == 0
Seats == 1..LastQuota
(* What a partner gives for the key of a seat: the same whenever it is asked. *)
CodeOf(s) == s

VARIABLES
  db,        \* what the programs read: [quota, counter, seatOf, outbox, failed, attempts, holder, expired, gen, coupon]
  disk,      \* what is there after the power is back
  asked,     \* users whose claim is under way
  answers,   \* answers under way: [user, seat, quota]; seat 0 is "sold out", with the quota that was full
  told,      \* the seats that a user was told
  refused,   \* the greatest quota at which a user was told "sold out"; 0 if never
  hand,      \* what a worker holds: a seat, its generation and the code that the partner gave
  faults,    \* how many faults are left
  given,     \* history: the first code that a seat's coupon had
  stale      \* history: whether a worker without a valid lease changed anything

vars == <<db, disk, asked, answers, told, refused, hand, faults, given, stale>>

EmptyHand == [seat |-> NoSeat, gen |-> 0, code |-> 0]

Init ==
  /\ db = [quota |-> FirstQuota, counter |-> 0, seatOf |-> [u \in Users |-> NoSeat],
           outbox |-> [s \in Seats |-> None], failed |-> [s \in Seats |-> None], attempts |-> [s \in Seats |-> 0],
           holder |-> [s \in Seats |-> None], expired |-> [s \in Seats |-> FALSE], gen |-> [s \in Seats |-> 0],
           coupon |-> [s \in Seats |-> 0]]
  /\ disk = db
  /\ asked = {} /\ answers = {}
  /\ told = [u \in Users |-> {}] /\ refused = [u \in Users |-> 0]
  /\ hand = [w \in Workers |-> EmptyHand]
  /\ faults = Faults
  /\ given = [s \in Seats |-> 0] /\ stale = FALSE

(* A commit is durable before anything else happens; the mutant syncs some time later. *)
Commit(new) ==
  /\ db' = new
  /\ disk' = IF Mutant = "commit-not-synced" THEN disk ELSE new
  /\ given' = [s \in Seats |-> IF given[s] = 0 THEN new.coupon[s] ELSE given[s]]

Accepted == {u \in Users : db.seatOf[u] # NoSeat}
IsFree(s) == db.holder[s] = None \/ db.expired[s]

-----------------------------------------------------------------------------
(* Users *)

Ask(u) == /\ u \notin asked /\ asked' = asked \cup {u}
          /\ \A a \in answers : a.user # u
          /\ Cardinality(told[u]) + refused[u] < 3  \* nobody asks for ever
          /\ UNCHANGED <<db, disk, answers, told, refused, hand, faults, given, stale>>

Yes(u, s) == [user |-> u, seat |-> s, quota |-> 0]
SoldOut(u) == [user |-> u, seat |-> NoSeat, quota |-> db.quota]
HasRoom == IF Mutant = "one-too-many" THEN db.counter <= db.quota ELSE db.counter < db.quota

(* AdmissionGate.admit: one transaction, and the answer after its commit. *)
Claim(u) ==
  /\ u \in asked /\ asked' = asked \ {u}
  /\ IF db.seatOf[u] # NoSeat /\ Mutant # "not-looked-up" THEN
       /\ answers' = answers \cup {Yes(u, db.seatOf[u])} /\ UNCHANGED <<db, disk, given>>
     ELSE IF HasRoom /\ db.counter + 1 \in Seats THEN
       LET s == db.counter + 1 IN
       /\ Commit([db EXCEPT !.counter = s, !.seatOf[u] = s,
                            !.outbox[s] = IF Mutant = "outbox-later" THEN None ELSE "pending"])
       /\ answers' = answers \cup {Yes(u, s)}
     ELSE /\ answers' = answers \cup {SoldOut(u)} /\ UNCHANGED <<db, disk, given>>
  /\ UNCHANGED <<told, refused, hand, faults, stale>>

(* A planted bug: the answer goes out, and the commit may follow. *)
ReplyFirst(u) ==
  /\ Mutant = "reply-before-commit"
  /\ u \in asked /\ db.seatOf[u] = NoSeat /\ HasRoom /\ db.counter + 1 \in Seats
  /\ \A a \in answers : a.user # u
  /\ answers' = answers \cup {Yes(u, db.counter + 1)}
  /\ UNCHANGED <<db, disk, asked, told, refused, hand, faults, given, stale>>

(* A planted bug: the sold-out of a cache that was not told of the raise, or a busy database read as a no. *)
FalseNo(u) ==
  /\ Mutant = "busy-is-sold-out"
  /\ u \in asked /\ asked' = asked \ {u}
  /\ answers' = answers \cup {SoldOut(u)}
  /\ UNCHANGED <<db, disk, told, refused, hand, faults, given, stale>>

Hear(a) ==
  /\ a \in answers /\ answers' = answers \ {a}
  /\ IF a.seat = NoSeat
     THEN /\ refused' = [refused EXCEPT ![a.user] = IF a.quota > @ THEN a.quota ELSE @] /\ UNCHANGED told
     ELSE /\ told' = [told EXCEPT ![a.user] = @ \cup {a.seat}] /\ UNCHANGED refused
  /\ UNCHANGED <<db, disk, asked, hand, faults, given, stale>>

LoseAnswer(a) ==
  /\ a \in answers /\ faults > 0 /\ faults' = faults - 1
  /\ answers' = answers \ {a}
  /\ UNCHANGED <<db, disk, asked, told, refused, hand, given, stale>>

-----------------------------------------------------------------------------
(* Consumers and batches *)

IsWork(s) == \/ db.outbox[s] = "pending" /\ db.failed[s] = None
             \/ db.failed[s] = "waiting"

(* LeasedWork: leaseCalls, leaseDue. *)
Lease(w, s) ==
  /\ hand[w] = EmptyHand /\ IsWork(s) /\ IsFree(s)
  /\ LET g == db.gen[s] + 1 IN
     /\ Commit([db EXCEPT !.holder[s] = w, !.expired[s] = FALSE, !.gen[s] = g])
     /\ hand' = [hand EXCEPT ![w] = [seat |-> s, gen |-> g, code |-> 0]]
  /\ UNCHANGED <<asked, answers, told, refused, faults, stale>>

(* CodeIssuer.ask: outside any transaction. *)
Call(w) ==
  /\ hand[w].seat # NoSeat /\ hand[w].code = 0
  /\ hand' = [hand EXCEPT ![w].code =
       IF Mutant = "key-per-call" THEN CodeOf(hand[w].seat) * 10 + hand[w].gen ELSE CodeOf(hand[w].seat)]
  /\ UNCHANGED <<db, disk, asked, answers, told, refused, faults, given, stale>>

HoldsLease(w) ==
  LET h == hand[w] IN db.holder[h.seat] = w /\ db.gen[h.seat] = h.gen /\ ~db.expired[h.seat]

(* Without a generation the holder alone is looked at, which may be the same worker with another lease. *)
MayWrite(w) ==
  \/ HoldsLease(w)
  \/ Mutant = "no-fence"
  \/ Mutant = "no-clock" /\ db.holder[hand[w].seat] = w /\ db.gen[hand[w].seat] = hand[w].gen

Released(s) == [db EXCEPT !.holder[s] = None, !.expired[s] = FALSE]

(* LeasedWork.settle: fence, coupon and row in one transaction. *)
Settle(w) ==
  LET h == hand[w] s == hand[w].seat IN
  /\ s # NoSeat /\ h.code # 0
  /\ hand' = [hand EXCEPT ![w] = EmptyHand]
  /\ IF MayWrite(w) THEN
       /\ Commit([Released(s) EXCEPT
            !.coupon[s] = IF db.coupon[s] = 0 THEN h.code ELSE @,
            !.outbox[s] = IF db.failed[s] = None THEN "delivered" ELSE @,
            !.failed[s] = IF @ = None THEN None ELSE "resolved"])
       /\ stale' = (stale \/ ~HoldsLease(w))
     ELSE UNCHANGED <<db, disk, given, stale>>
  /\ UNCHANGED <<asked, answers, told, refused, faults>>

(* A planted bug: the row is settled, and the coupon made in a transaction of its own, which may never come. *)
SettleRowOnly(w) ==
  LET s == hand[w].seat IN
  /\ Mutant = "settled-apart" /\ s # NoSeat /\ hand[w].code # 0 /\ HoldsLease(w)
  /\ hand' = [hand EXCEPT ![w] = EmptyHand]
  /\ Commit([Released(s) EXCEPT !.outbox[s] = "delivered", !.failed[s] = IF @ = None THEN None ELSE "resolved"])
  /\ UNCHANGED <<asked, answers, told, refused, faults, stale>>

(* The call failed in a way that counts. *)
Fail(w) ==
  LET s == hand[w].seat IN
  /\ s # NoSeat /\ hand[w].code = 0 /\ faults > 0 /\ faults' = faults - 1
  /\ hand' = [hand EXCEPT ![w] = EmptyHand]
  /\ IF MayWrite(w) THEN
       LET n == db.attempts[s] + 1 IN
       /\ Commit([Released(s) EXCEPT !.attempts[s] = n, !.outbox[s] = "failed",
            !.failed[s] = IF n >= MaxAttempts THEN (IF Mutant = "dead-is-forgotten" THEN None ELSE "dead") ELSE "waiting"])
       /\ stale' = (stale \/ ~HoldsLease(w))
     ELSE UNCHANGED <<db, disk, given, stale>>
  /\ UNCHANGED <<asked, answers, told, refused>>

-----------------------------------------------------------------------------
(* Operators *)

Raise == /\ db.quota < LastQuota /\ Commit([db EXCEPT !.quota = @ + 1])
         /\ UNCHANGED <<asked, answers, told, refused, hand, faults, stale>>

Redrive(s) ==
  /\ db.failed[s] = "dead" /\ db.attempts[s] = MaxAttempts
  /\ Commit([db EXCEPT !.failed[s] = "waiting"])
  /\ UNCHANGED <<asked, answers, told, refused, hand, faults, stale>>

(* The seat stays taken; the planted bug gives it away again. *)
Discard(s) ==
  /\ db.failed[s] = "dead"
  /\ Commit(IF Mutant = "discard-frees-seat"
            THEN [db EXCEPT !.failed[s] = "discarded", !.counter = @ - 1,
                            !.seatOf = [u \in Users |-> IF db.seatOf[u] = s THEN NoSeat ELSE db.seatOf[u]]]
            ELSE [db EXCEPT !.failed[s] = "discarded"])
  /\ UNCHANGED <<asked, answers, told, refused, hand, faults, stale>>

(* RepairDesk.perform: the row of an accepted seat that is gone, as what has become of the seat. *)
Repair(s) ==
  /\ \E u \in Users : db.seatOf[u] = s
  /\ db.outbox[s] = None
  /\ Commit([db EXCEPT !.outbox[s] =
       IF db.failed[s] # None THEN "failed" ELSE IF db.coupon[s] # 0 THEN "delivered" ELSE "pending"])
  /\ UNCHANGED <<asked, answers, told, refused, hand, faults, stale>>

-----------------------------------------------------------------------------
(* What goes wrong *)

(* Power and processes are gone: what was not durable, under way or in hand. *)
Crash ==
  /\ faults > 0 /\ faults' = faults - 1
  /\ db' = disk /\ asked' = {} /\ answers' = {}
  /\ hand' = [w \in Workers |-> EmptyHand]
  /\ UNCHANGED <<disk, told, refused, given, stale>>

(* A lease is over while its holder may go on: it stood still, or a clock jumped. *)
Expire(s) ==
  /\ db.holder[s] # None /\ ~db.expired[s]
  /\ faults > 0 /\ faults' = faults - 1
  /\ db' = [db EXCEPT !.expired[s] = TRUE] /\ disk' = [disk EXCEPT !.expired[s] = TRUE]
  /\ UNCHANGED <<asked, answers, told, refused, hand, given, stale>>

(* A lease whose holder is no more is over in time, without a fault. *)
RunOut(s) ==
  /\ db.holder[s] # None /\ ~db.expired[s]
  /\ ~\E w \in Workers : db.holder[s] = w /\ hand[w].seat = s /\ hand[w].gen = db.gen[s]
  /\ Commit([db EXCEPT !.expired[s] = TRUE])
  /\ UNCHANGED <<asked, answers, told, refused, hand, faults, stale>>

(* Somebody deletes a row by hand, behind the triggers. *)
LoseRow(s) ==
  /\ db.outbox[s] \in {"pending", "delivered"} /\ db.failed[s] = None /\ db.holder[s] = None
  /\ faults > 0 /\ faults' = faults - 1
  /\ Commit([db EXCEPT !.outbox[s] = None])
  /\ UNCHANGED <<asked, answers, told, refused, hand, stale>>

Sync == /\ Mutant = "commit-not-synced" /\ disk # db /\ disk' = db
        /\ UNCHANGED <<db, asked, answers, told, refused, hand, faults, given, stale>>

Next ==
  \/ \E u \in Users : Ask(u) \/ Claim(u) \/ ReplyFirst(u) \/ FalseNo(u)
  \/ \E a \in answers : Hear(a) \/ LoseAnswer(a)
  \/ \E w \in Workers : Call(w) \/ Settle(w) \/ SettleRowOnly(w) \/ Fail(w) \/ \E s \in Seats : Lease(w, s)
  \/ \E s \in Seats : Redrive(s) \/ Discard(s) \/ Repair(s) \/ Expire(s) \/ RunOut(s) \/ LoseRow(s)
  \/ Raise \/ Crash \/ Sync

(* Programs that run do what they can; nobody is forced to ask, raise, redrive or discard. *)
Fairness ==
  /\ \A u \in Users : WF_vars(Claim(u))
  /\ \A w \in Workers : WF_vars(Call(w)) /\ WF_vars(Settle(w))
  /\ \A s \in Seats : WF_vars(Repair(s)) /\ WF_vars(RunOut(s)) /\ WF_vars(\E w \in Workers : Lease(w, s))

Spec == Init /\ [][Next]_vars /\ Fairness

-----------------------------------------------------------------------------
(* The promises *)

NeverOver ==
  /\ db.counter <= db.quota
  /\ Cardinality({s \in Seats : db.coupon[s] # 0}) <= db.quota
  /\ \A s \in Seats : db.coupon[s] # 0 => s <= db.quota

OneEach == \A u, v \in Accepted : u # v => db.seatOf[u] # db.seatOf[v]

BooksBalance ==
  /\ db.counter = Cardinality(Accepted)
  /\ {db.seatOf[u] : u \in Accepted} = 1..db.counter

(* What was told is there also after the power is back, and is the same for ever. *)
NoFalseYes == \A u \in Users : \A s \in told[u] : disk.seatOf[u] = s /\ db.seatOf[u] = s
SameAnswer == \A u \in Users : Cardinality(told[u]) <= 1

(* "Sold out" was true: the quota of that moment is given away, and what is given later is above it. *)
FirstCome == \A u \in Users : db.counter >= refused[u]

(* Each accepted user has a coupon or stands where an operator, a consumer or a report sees it. *)
NothingLost ==
  \A u \in Accepted : LET s == db.seatOf[u] IN
    \/ db.coupon[s] # 0
    \/ db.failed[s] \in {"waiting", "dead", "discarded"}
    \/ db.outbox[s] = "pending"
    \/ db.outbox[s] = None /\ faults < Faults  \* a row that was taken away by hand: a finding

ReplaySafe ==
  /\ ~stale
  /\ \A s \in Seats : given[s] # 0 => db.coupon[s] = given[s]

(* A partner is asked under the key of the seat, so that it gives one code however often it is asked. *)
OneCode == \A w \in Workers : hand[w].code \in {0, CodeOf(hand[w].seat)}

(* No coupon without its acceptance. *)
NoPhantom == \A s \in Seats : db.coupon[s] # 0 => \E u \in Accepted : db.seatOf[u] = s

(* In the end each accepted user has a coupon, or a person has to decide or has decided. *)
Served ==
  \A u \in Users : \A s \in Seats :
    (db.seatOf[u] = s) ~> (db.coupon[s] # 0 \/ db.failed[s] \in {"dead", "discarded"})

=============================================================================
