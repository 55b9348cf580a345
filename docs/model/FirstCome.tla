----------------------------- MODULE FirstCome -----------------------------
(* Claim, lease, fence, replay and repair of one campaign. See README.md of this folder. *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Users,        \* who claims
  FirstQuota,   \* the quota at creation
  LastQuota,    \* to which it may be raised
  Workers,      \* consumers and batches; each may stop for any time and go on
  SameProcess,  \* whether the workers are calls of one process, whose leases bear the same name
  Faults,       \* how many faults there may be in all
  FaultKinds,   \* of which kinds
  MaxAttempts,  \* counted attempts before an event is dead, and how many more a redrive grants
  Mutant        \* the name of a planted bug, or "none"

None == "none"
NoSeat == 0
Seats == 1..LastQuota

VARIABLES
  db,        \* what the programs read: campaign, accepted_user, outbox, failed_event, coupon
  disk,      \* what is there after the power is back
  tx,        \* what the transaction of a group of claims has made of db so far; db where there is none
  phase,     \* of the group: "idle", "open" or, between its commit and its answers, "done"
  group,     \* the answers that the group will give
  witness,   \* the last seat of which the file outside the database knows
  asked,     \* for each user, the quota when the claim that is under way began; 0 if there is none
  floor,     \* for each user, the last seat that anybody had heard of when the user's claim began
  answers,   \* answers on the network: [user, seat, quota]; seat 0 is "sold out", with the quota that was full
  told,      \* the seats that each user was told
  refused,   \* the greatest quota of which each user was told that it is given away; 0 if never
  hand,      \* what each worker holds: a seat, its generation and the code that the issuer gave
  made,      \* at the issuer: the codes that it has made for each seat
  plan,      \* a repair that was proposed and not yet done
  faults,    \* how many faults are left
  given,     \* history: the first code that a seat's coupon had
  stale,     \* history: whether a worker without a valid lease changed anything
  touched,   \* history: the seats of which somebody changed a row by hand
  restored   \* history: whether the database was replaced by an old copy

claims == <<tx, phase, group, witness>>
network == <<asked, floor, answers, told, refused>>
work == <<hand, made>>
history == <<given, stale, touched, restored>>
vars == <<db, disk, claims, network, work, plan, faults, history>>

EmptyHand == [seat |-> NoSeat, gen |-> 0, code |-> 0]
NoPlan == [act |-> None, seat |-> NoSeat, seen |-> 0]
Max(S) == IF S = {} THEN 0 ELSE CHOOSE x \in S : \A y \in S : y <= x

EmptyDatabase ==
  [quota |-> FirstQuota, counter |-> 0, seatOf |-> [u \in Users |-> NoSeat],
   outbox |-> [s \in Seats |-> None], failed |-> [s \in Seats |-> None],
   attempts |-> [s \in Seats |-> 0], limit |-> [s \in Seats |-> MaxAttempts],
   holder |-> [s \in Seats |-> None], expired |-> [s \in Seats |-> FALSE], gen |-> [s \in Seats |-> 0],
   coupon |-> [s \in Seats |-> 0]]

Init ==
  /\ db = EmptyDatabase /\ disk = db
  /\ tx = db /\ phase = "idle" /\ group = {} /\ witness = 0
  /\ asked = [u \in Users |-> 0] /\ floor = [u \in Users |-> 0] /\ answers = {}
  /\ told = [u \in Users |-> {}] /\ refused = [u \in Users |-> 0]
  /\ hand = [w \in Workers |-> EmptyHand] /\ made = [s \in Seats |-> {}]
  /\ plan = NoPlan /\ faults = Faults
  /\ given = [s \in Seats |-> 0] /\ stale = FALSE /\ touched = {} /\ restored = FALSE

Write(new) ==
  /\ db' = new
  /\ disk' = IF Mutant = "commit-not-synced" THEN disk ELSE new
  /\ given' = [s \in Seats |-> IF given[s] = 0 THEN new.coupon[s] ELSE given[s]]

(* A transaction of anybody but a group: under the write lock, durable before anything else happens. *)
Commit(new) ==
  /\ phase = "idle" \/ Mutant = "no-lock"
  /\ Write(new)
  /\ tx' = IF phase = "idle" THEN new ELSE tx
  /\ UNCHANGED <<phase, group, witness>>

Fault(kind) == /\ kind \in FaultKinds /\ faults > 0 /\ faults' = faults - 1

Accepted(d) == {u \in Users : d.seatOf[u] # NoSeat}
Taken(d) == {d.seatOf[u] : u \in Accepted(d)}
(* No program works on a database that has forgotten what its witness knows. *)
InStep == witness <= db.counter \/ Mutant = "witness-not-read"

-----------------------------------------------------------------------------
(* Users and the service *)

Ask(u) ==
  /\ asked[u] = 0 /\ \A a \in answers \cup group : a.user # u
  /\ asked' = [asked EXCEPT ![u] = db.quota]
  /\ floor' = IF tx.seatOf[u] = NoSeat THEN [floor EXCEPT ![u] = Max(UNION {told[v] : v \in Users})] ELSE floor
  /\ UNCHANGED <<db, disk, claims, answers, told, refused, work, plan, faults, history>>

Yes(u, s) == [user |-> u, seat |-> s, quota |-> 0]
SoldOut(u, q) == [user |-> u, seat |-> NoSeat, quota |-> q]

(* One claim in the transaction of its group. It sees what the group has done before it. *)
Admit(u) ==
  LET seen == IF Mutant = "group-reads-outside" THEN db ELSE tx
      hasRoom == IF Mutant = "one-too-many" THEN seen.counter <= seen.quota ELSE seen.counter < seen.quota
      s == IF Mutant = "seats-from-the-top" THEN seen.quota - seen.counter ELSE seen.counter + 1
  IN
  /\ phase \in {"idle", "open"} /\ asked[u] # 0 /\ InStep
  /\ phase' = "open" /\ asked' = [asked EXCEPT ![u] = 0]
  /\ IF seen.seatOf[u] # NoSeat /\ Mutant # "not-looked-up" THEN
       group' = group \cup {Yes(u, seen.seatOf[u])} /\ UNCHANGED tx
     ELSE IF ~hasRoom \/ s \notin Seats THEN
       group' = group \cup {SoldOut(u, seen.quota)} /\ UNCHANGED tx
     ELSE IF s \in Taken(seen) /\ Mutant # "seat-not-unique" THEN  \* the database refuses the row: no answer
       UNCHANGED <<group, tx>>
     ELSE
       /\ tx' = [tx EXCEPT !.counter = seen.counter + 1, !.seatOf[u] = s,
                           !.outbox[s] = IF Mutant = "outbox-later" THEN None ELSE "pending"]
       /\ group' = group \cup {Yes(u, s)}
  /\ UNCHANGED <<db, disk, witness, floor, answers, told, refused, work, plan, faults, history>>

CommitGroup ==
  /\ phase = "open" /\ phase' = "done"
  /\ Write(tx)
  /\ UNCHANGED <<tx, group, witness, network, work, plan, faults, stale, touched, restored>>

(* After the commit, and after the witness was told. *)
Answer ==
  /\ phase = "done" /\ phase' = "idle"
  /\ witness' = IF Mutant = "witness-not-written" THEN witness ELSE Max({witness, db.counter})
  /\ answers' = answers \cup group /\ group' = {}
  /\ UNCHANGED <<db, disk, tx, asked, floor, told, refused, work, plan, faults, history>>

(* A planted bug: answers go out as they are decided. *)
AnswerEarly ==
  /\ Mutant = "reply-before-commit" /\ phase = "open" /\ group # {}
  /\ answers' = answers \cup group
  /\ UNCHANGED <<db, disk, claims, asked, floor, told, refused, work, plan, faults, history>>

(* The commit fails, and may still be there: nobody is answered. *)
CommitFails ==
  /\ phase = "open" /\ Fault("commit") /\ phase' = "idle"
  /\ \E new \in {db, tx} : Write(new) /\ tx' = new
  /\ answers' = answers \cup
       (IF Mutant = "failed-commit-is-no" THEN {SoldOut(a.user, tx.quota) : a \in group} ELSE {})
  /\ group' = {}
  /\ UNCHANGED <<witness, asked, floor, told, refused, work, plan, stale, touched, restored>>

(* Planted bugs: a busy database is read as a no; a cache says what was true before the quota was raised. *)
FalseNo(u) ==
  /\ \/ Mutant = "busy-is-sold-out"
     \/ Mutant = "cached-sold-out" /\ \E v \in Users : refused[v] # 0
  /\ asked[u] # 0 /\ asked' = [asked EXCEPT ![u] = 0]
  /\ answers' = answers \cup {SoldOut(u, asked[u])}
  /\ UNCHANGED <<db, disk, claims, floor, told, refused, work, plan, faults, history>>

Hear(a) ==
  /\ a \in answers /\ answers' = answers \ {a}
  /\ IF a.seat = NoSeat
     THEN refused' = [refused EXCEPT ![a.user] = Max({@, a.quota})] /\ UNCHANGED told
     ELSE told' = [told EXCEPT ![a.user] = @ \cup {a.seat}] /\ UNCHANGED refused
  /\ UNCHANGED <<db, disk, claims, asked, floor, work, plan, faults, history>>

LoseAnswer(a) ==
  /\ a \in answers /\ Fault("answer") /\ answers' = answers \ {a}
  /\ UNCHANGED <<db, disk, claims, asked, floor, told, refused, work, plan, history>>

-----------------------------------------------------------------------------
(* Consumers and batches *)

Name(w) == IF SameProcess THEN "process" ELSE w
IsWork(s) == \/ db.outbox[s] = "pending" /\ db.failed[s] = None
             \/ db.failed[s] = "waiting"

Lease(w, s) ==
  /\ hand[w] = EmptyHand /\ IsWork(s) /\ InStep
  /\ db.holder[s] = None \/ db.expired[s]
  /\ Commit([db EXCEPT !.holder[s] = Name(w), !.expired[s] = FALSE, !.gen[s] = @ + 1])
  /\ hand' = [hand EXCEPT ![w] = [seat |-> s, gen |-> db.gen[s] + 1, code |-> 0]]
  /\ UNCHANGED <<network, made, plan, faults, stale, touched, restored>>

(* What an issuer gives: by the key of the seat the same whenever it is asked. *)
CodeFor(h) == IF Mutant = "key-per-call" THEN h.seat * 10 + h.gen ELSE h.seat
MadeFor(h) == [made EXCEPT ![h.seat] = @ \cup {CodeFor(h)}]

(* Outside any transaction. *)
Call(w) ==
  /\ hand[w].seat # NoSeat /\ hand[w].code = 0
  /\ hand' = [hand EXCEPT ![w].code = CodeFor(hand[w])] /\ made' = MadeFor(hand[w])
  /\ UNCHANGED <<db, disk, claims, network, plan, faults, history>>

IsNamed(w) == db.holder[hand[w].seat] = Name(w)
IsLatest(w) == db.gen[hand[w].seat] = hand[w].gen
InTime(w) == ~db.expired[hand[w].seat]
HoldsLease(w) == IsNamed(w) /\ IsLatest(w) /\ InTime(w)

MayWrite(w) ==
  \/ HoldsLease(w)
  \/ Mutant = "no-fence"
  \/ Mutant = "no-generation" /\ IsNamed(w) /\ InTime(w)
  \/ Mutant = "no-clock" /\ IsNamed(w) /\ IsLatest(w)

Released(s) == [db EXCEPT !.holder[s] = None, !.expired[s] = FALSE]

(* Ends what a worker holds: with `new` where the fence lets it, else without a change. *)
End(w, new) ==
  /\ hand' = [hand EXCEPT ![w] = EmptyHand]
  /\ IF MayWrite(w)
     THEN Commit(new) /\ stale' = (stale \/ ~HoldsLease(w))
     ELSE phase = "idle" /\ UNCHANGED <<db, disk, claims, given, stale>>
  /\ UNCHANGED <<network, plan, touched, restored>>

(* Fence, coupon and row in one transaction. *)
Settle(w) ==
  LET s == hand[w].seat IN
  /\ s # NoSeat /\ hand[w].code # 0
  /\ End(w, [Released(s) EXCEPT
       !.coupon[s] = IF @ = 0 THEN hand[w].code ELSE @,
       !.outbox[s] = IF db.failed[s] = None THEN "delivered" ELSE @,
       !.failed[s] = IF @ = None THEN None ELSE "resolved"])
  /\ UNCHANGED <<made, faults>>

(* A planted bug: the row is settled first, and the coupon made in a transaction that may never come. *)
SettleRowOnly(w) ==
  LET s == hand[w].seat IN
  /\ Mutant = "settled-apart" /\ s # NoSeat /\ hand[w].code # 0
  /\ End(w, [Released(s) EXCEPT !.outbox[s] = "delivered", !.failed[s] = IF @ = None THEN None ELSE "resolved"])
  /\ UNCHANGED <<made, faults>>

(* The call failed: before it reached the issuer, or after the issuer had made the code; so that it counts, or not. *)
Fail(w) ==
  LET s == hand[w].seat IN
  /\ s # NoSeat /\ hand[w].code = 0 /\ Fault("call")
  /\ made' \in {made, MadeFor(hand[w])}
  /\ \E counted \in {0, 1} :
       LET n == db.attempts[s] + counted
           dead == IF Mutant = "dead-is-forgotten" THEN None ELSE "dead"
       IN End(w, [Released(s) EXCEPT !.attempts[s] = n, !.outbox[s] = "failed",
                                     !.failed[s] = IF n >= db.limit[s] THEN dead ELSE "waiting"])

(* What is in hand is given back untouched, as at a drain. *)
Release(w) ==
  LET s == hand[w].seat IN
  /\ s # NoSeat /\ hand[w].code = 0 /\ Fault("release")
  /\ hand' = [hand EXCEPT ![w] = EmptyHand]
  /\ Commit(IF IsNamed(w) /\ IsLatest(w) THEN Released(s) ELSE db)
  /\ UNCHANGED <<network, made, plan, stale, touched, restored>>

-----------------------------------------------------------------------------
(* Operators *)

Act(new) == Commit(new) /\ UNCHANGED <<network, work, plan, faults, stale, touched, restored>>

Raise == db.quota < LastQuota /\ Act([db EXCEPT !.quota = @ + 1])

Redrive(s) ==
  /\ db.failed[s] = "dead" /\ db.limit[s] = MaxAttempts  \* once is enough here
  /\ Act([db EXCEPT !.failed[s] = "waiting", !.limit[s] = db.attempts[s] + MaxAttempts])

(* The seat stays taken, and who has it in hand loses it. *)
Discard(s) ==
  /\ db.failed[s] \in {"waiting", "dead"}
  /\ LET closed == IF Mutant = "discard-keeps-lease" THEN db ELSE Released(s) IN
     Act(IF Mutant = "discard-frees-seat"
         THEN [closed EXCEPT !.failed[s] = "discarded", !.counter = @ - 1,
                             !.seatOf = [u \in Users |-> IF db.seatOf[u] = s THEN NoSeat ELSE db.seatOf[u]]]
         ELSE [closed EXCEPT !.failed[s] = "discarded"])

(* What a report proposes, and what is then done, at any time and as often as the plan is run; `seen` is what it was
   proposed for. *)
RowShouldBe(s) ==
  IF db.failed[s] # None THEN "failed" ELSE IF db.coupon[s] # 0 THEN "delivered" ELSE "pending"
LacksRow(s) == s \in Taken(db) /\ db.outbox[s] = None
LacksCoupon(s) ==
  /\ s \in Taken(db) /\ db.coupon[s] = 0
  /\ \/ db.failed[s] = "resolved"
     \/ db.failed[s] = None /\ db.outbox[s] = "delivered"

Propose ==
  /\ plan = NoPlan
  /\ \/ \E s \in Seats : LacksRow(s) /\ plan' = [act |-> "row", seat |-> s, seen |-> RowShouldBe(s)]
     \/ \E s \in Seats : LacksCoupon(s) /\ plan' = [act |-> "coupon", seat |-> s, seen |-> 0]
     \/ /\ Max(Taken(db)) > db.counter /\ Mutant # "counter-not-mended"
        /\ plan' = [act |-> "counter", seat |-> NoSeat, seen |-> Max(Taken(db))]
  /\ UNCHANGED <<db, disk, claims, network, work, faults, history>>

(* Asked again in the transaction that does it. *)
StillFound ==
  CASE plan.act = "row" -> LacksRow(plan.seat)
    [] plan.act = "coupon" -> LacksCoupon(plan.seat)
    [] plan.act = "counter" -> plan.seen = Max(Taken(db)) /\ plan.seen > db.counter
    [] OTHER -> FALSE

Repair ==
  LET s == plan.seat IN
  /\ plan # NoPlan /\ (StillFound \/ Mutant = "repair-unchecked")
  /\ Commit(
       CASE plan.act = "row" -> [db EXCEPT !.outbox[s] = IF StillFound THEN RowShouldBe(s) ELSE plan.seen]
         [] plan.act = "coupon" -> [Released(s) EXCEPT !.failed[s] = "waiting", !.outbox[s] = "failed"]
         [] plan.act = "counter" -> [db EXCEPT !.counter = plan.seen])
  /\ UNCHANGED <<network, work, plan, faults, stale, touched, restored>>

Forget ==
  /\ plan # NoPlan /\ ~StillFound /\ plan' = NoPlan
  /\ UNCHANGED <<db, disk, claims, network, work, faults, history>>

-----------------------------------------------------------------------------
(* What goes wrong *)

ServiceGone(d) ==
  /\ tx' = d /\ phase' = "idle" /\ group' = {} /\ asked' = [u \in Users |-> 0] /\ answers' = {}
  /\ UNCHANGED <<witness, floor, told, refused>>

KillService ==
  /\ Fault("kill") /\ ServiceGone(db) /\ UNCHANGED <<db, disk, work, plan, history>>

KillWorker(w) ==
  /\ hand[w] # EmptyHand /\ Fault("kill") /\ hand' = [hand EXCEPT ![w] = EmptyHand]
  /\ UNCHANGED <<db, disk, claims, network, made, plan, history>>

(* The power fails. What was not durable, under way or in hand is gone; what an issuer made and users heard is not. *)
PowerCut ==
  /\ Fault("power") /\ ServiceGone(disk) /\ db' = disk
  /\ hand' = [w \in Workers |-> EmptyHand] /\ plan' = NoPlan
  /\ UNCHANGED <<disk, made, history>>

(* A lease is over while its holder may go on: it stood still, or a clock jumped. *)
Expire(s) ==
  /\ db.holder[s] # None /\ ~db.expired[s] /\ Fault("expire")
  /\ Commit([db EXCEPT !.expired[s] = TRUE])
  /\ UNCHANGED <<network, work, plan, stale, touched, restored>>

(* A lease whose holder is no more is over in time, without a fault. *)
RunOut(s) ==
  /\ db.holder[s] # None /\ ~db.expired[s] /\ Mutant # "lease-for-ever"
  /\ ~\E w \in Workers : hand[w].seat = s /\ HoldsLease(w)
  /\ Act([db EXCEPT !.expired[s] = TRUE])

ByHand(kind, seat, new) ==
  /\ Fault(kind) /\ Commit(new) /\ touched' = touched \cup {seat}
  /\ UNCHANGED <<network, work, plan, stale, restored>>

(* Somebody takes a row away, behind the triggers, or puts an acceptance in, past the counter and the outbox. *)
TakeRow(s) ==
  /\ db.outbox[s] \in {"pending", "delivered"} /\ db.failed[s] = None /\ db.holder[s] = None
  /\ ByHand("row", s, [db EXCEPT !.outbox[s] = None])
TakeCoupon(s) ==
  /\ db.coupon[s] # 0 /\ db.outbox[s] # None
  /\ ByHand("coupon", s, [db EXCEPT !.coupon[s] = 0])
PutAcceptance(u) ==
  LET s == db.counter + 1 IN
  /\ db.seatOf[u] = NoSeat /\ s <= db.quota /\ s \notin Taken(db)
  /\ ByHand("acceptance", s, [db EXCEPT !.seatOf[u] = s])

(* Somebody puts a copy in place that was made before the first claim, and starts the programs. *)
RestoreOldCopy ==
  /\ Fault("restore") /\ ServiceGone(EmptyDatabase) /\ db' = EmptyDatabase /\ disk' = EmptyDatabase
  /\ restored' = TRUE /\ hand' = [w \in Workers |-> EmptyHand] /\ plan' = NoPlan
  /\ UNCHANGED <<made, given, stale, touched>>

Sync == /\ Mutant = "commit-not-synced" /\ disk # db /\ disk' = db
        /\ UNCHANGED <<db, claims, network, work, plan, faults, history>>

Next ==
  \/ \E u \in Users : Ask(u) \/ Admit(u) \/ FalseNo(u) \/ PutAcceptance(u)
  \/ CommitGroup \/ Answer \/ AnswerEarly \/ CommitFails
  \/ \E a \in answers : Hear(a) \/ LoseAnswer(a)
  \/ \E w \in Workers : \/ Call(w) \/ Settle(w) \/ SettleRowOnly(w) \/ Fail(w) \/ Release(w) \/ KillWorker(w)
                        \/ \E s \in Seats : Lease(w, s)
  \/ \E s \in Seats : Redrive(s) \/ Discard(s) \/ Expire(s) \/ RunOut(s) \/ TakeRow(s) \/ TakeCoupon(s)
  \/ Raise \/ Propose \/ Repair \/ Forget
  \/ KillService \/ PowerCut \/ RestoreOldCopy \/ Sync

(* Programs that run do what they can, and the write lock passes everybody over only so often; nobody is forced to ask,
   raise, redrive or discard. *)
Fairness ==
  /\ WF_vars(CommitGroup) /\ WF_vars(Answer) /\ SF_vars(Propose) /\ SF_vars(Repair) /\ WF_vars(Forget)
  /\ \A w \in Workers : WF_vars(Call(w)) /\ SF_vars(Settle(w))
  /\ \A s \in Seats : SF_vars(RunOut(s)) /\ SF_vars(\E w \in Workers : Lease(w, s))

Spec == Init /\ [][Next]_vars /\ Fairness

=============================================================================
