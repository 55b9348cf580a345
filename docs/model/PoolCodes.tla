----------------------------- MODULE PoolCodes -----------------------------
(* Codes that were imported: parked events, the order in which codes are given, and that each is given once. The seats
   are accepted already; leases and fences are those of FirstCome, and a seat here has at most one worker that may write. *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Seats,    \* 1..n, all accepted
  Codes,    \* 1..m: what is imported, in this order
  First,    \* how many of them are there at the beginning
  Workers,
  Faults,   \* how many workers may be killed
  Mutant

None == "none"

VARIABLES
  imported,  \* how many codes are there
  codeOf,    \* pool_code.seat, seen from the seat: the code that stays with it; 0 if none
  coupon,    \* the code of the seat's coupon; 0 if none
  event,     \* "pending" in the outbox, or "parked", or "resolved"
  holder,    \* who has the event in hand
  hand,      \* the seat that a worker holds, and the code that the planted bug looks up too early
  faults,
  jumped     \* history: whether a seat got a code while lower ones waited that then found none

vars == <<imported, codeOf, coupon, event, holder, hand, faults, jumped>>

Given == {codeOf[s] : s \in Seats} \ {0}
Free == (1..imported) \ Given
Lowest(S) == CHOOSE x \in S : \A y \in S : x <= y
Nothing == [seat |-> 0, code |-> 0]
(* Lower seats that stand in failed_event and still wait. *)
Before(s) == {t \in Seats : t < s /\ event[t] = "parked"}

Init ==
  /\ imported = First
  /\ codeOf = [s \in Seats |-> 0] /\ coupon = [s \in Seats |-> 0]
  /\ event = [s \in Seats |-> "pending"]
  /\ holder = [s \in Seats |-> None] /\ hand = [w \in Workers |-> Nothing]
  /\ faults = Faults /\ jumped = FALSE

Import ==
  /\ imported < Cardinality(Codes) /\ imported' = imported + 1
  /\ UNCHANGED <<codeOf, coupon, event, holder, hand, faults, jumped>>

(* CouponWriter.poolCode: the code that the seat has; else the next free one, if the lower seats leave one. *)
HasCode(s) ==
  \/ codeOf[s] # 0
  \/ Free # {} /\ (Mutant = "queue-jumped" \/ Cardinality(Free) > Cardinality(Before(s)))
CodeFor(s) == IF codeOf[s] # 0 THEN codeOf[s] ELSE Lowest(Free)

(* Coupon, code and event in one transaction. *)
Give(s, code) ==
  /\ codeOf' = IF Mutant = "code-left-free" THEN codeOf ELSE [codeOf EXCEPT ![s] = code]
  /\ coupon' = [coupon EXCEPT ![s] = code]
  /\ event' = [event EXCEPT ![s] = "resolved"]
  /\ jumped' = (jumped \/ (codeOf[s] = 0 /\ Cardinality(Free) <= Cardinality(Before(s))))

Park(s) ==
  /\ event' = [event EXCEPT ![s] = IF Mutant = "parked-is-done" THEN "resolved" ELSE "parked"]
  /\ UNCHANGED <<codeOf, coupon, jumped>>

(* Outbox.deliverPending, lowest seats first. *)
Deliver(s) ==
  /\ event[s] = "pending" /\ \A t \in Seats : t < s => event[t] # "pending"
  /\ IF HasCode(s) THEN Give(s, CodeFor(s)) ELSE Park(s)
  /\ UNCHANGED <<imported, holder, hand, faults>>

(* leaseDue: as many parked events as there are codes, by seat. *)
Lease(w, s) ==
  /\ hand[w] = Nothing /\ event[s] = "parked" /\ holder[s] = None /\ Mutant # "parked-never-due"
  /\ Cardinality(Before(s)) < Cardinality(Free)
  /\ holder' = [holder EXCEPT ![s] = w]
  /\ hand' = [hand EXCEPT ![w] = [seat |-> s, code |-> IF Mutant = "code-read-early" THEN CodeFor(s) ELSE 0]]
  /\ UNCHANGED <<imported, codeOf, coupon, event, faults, jumped>>

Settle(w) ==
  LET s == hand[w].seat IN
  /\ s # 0
  /\ hand' = [hand EXCEPT ![w] = Nothing] /\ holder' = [holder EXCEPT ![s] = None]
  /\ IF hand[w].code # 0 THEN Give(s, hand[w].code)
     ELSE IF HasCode(s) THEN Give(s, CodeFor(s)) ELSE Park(s)
  /\ UNCHANGED <<imported, faults>>

(* Its leases run out. *)
Kill(w) ==
  /\ hand[w] # Nothing /\ faults > 0 /\ faults' = faults - 1
  /\ holder' = [holder EXCEPT ![hand[w].seat] = None] /\ hand' = [hand EXCEPT ![w] = Nothing]
  /\ UNCHANGED <<imported, codeOf, coupon, event, jumped>>

(* Somebody takes a coupon away behind the triggers, and the repair gives the seat to the handler again. *)
Remake(s) ==
  /\ coupon[s] # 0 /\ faults > 0 /\ faults' = faults - 1
  /\ coupon' = [coupon EXCEPT ![s] =
       IF Mutant # "remade-anew" THEN CodeFor(s) ELSE IF Free # {} THEN Lowest(Free) ELSE @]
  /\ codeOf' = [codeOf EXCEPT ![s] = coupon'[s]]
  /\ UNCHANGED <<imported, event, holder, hand, jumped>>

Next ==
  \/ Import \/ \E s \in Seats : Deliver(s) \/ Remake(s)
  \/ \E w \in Workers : Settle(w) \/ Kill(w) \/ \E s \in Seats : Lease(w, s)

Fairness ==
  /\ WF_vars(Import) /\ \A s \in Seats : WF_vars(Deliver(s))
  /\ \A w \in Workers : WF_vars(Settle(w))
  /\ \A s \in Seats : SF_vars(\E w \in Workers : Lease(w, s))

Spec == Init /\ [][Next]_vars /\ Fairness

-----------------------------------------------------------------------------
EachCodeOnce == \A s, t \in Seats : s # t /\ coupon[s] # 0 => coupon[s] # coupon[t]
OnlyImported == \A s \in Seats : coupon[s] \in 0..imported
NothingLost == \A s \in Seats : coupon[s] # 0 \/ event[s] \in {"pending", "parked"}
NobodyJumps == ~jumped
CouponStays == [][\A s \in Seats : coupon[s] # 0 => coupon'[s] = coupon[s]]_vars

(* With as many codes as seats everybody has one in the end. *)
Served == \A s \in Seats : <>(coupon[s] # 0)

=============================================================================
