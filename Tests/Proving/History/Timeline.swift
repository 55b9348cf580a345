/// A campaign from one act of its operator to the next.
struct Phase: Sendable, Equatable {
  enum State: Sendable, Equatable {
    case open, paused, closed
  }

  let state: State
  let quota: Int
  /// When the act that began it took effect.
  var entry: Span
}

/// Where in a timeline something took effect: in one of these phases, within this span.
struct Place: Sendable, Equatable {
  var phases: ClosedRange<Int>
  var span: Span

  /// Whether it begins later than `other`, or in a later phase.
  func begins(after other: Place) -> Bool {
    span.earliest > other.span.earliest || phases.lowerBound > other.phases.lowerBound
  }

  /// Leaves what is not before the beginning of `other`.
  ///
  /// - Returns: whether anything is left. If not, nothing is changed.
  mutating func come(after other: Place) -> Bool {
    let phase = max(phases.lowerBound, other.phases.lowerBound)
    let instant = max(span.earliest, other.span.earliest)
    guard phase <= phases.upperBound, instant <= span.latest else { return false }
    phases = phase...phases.upperBound
    span.earliest = instant
    return true
  }

  /// Leaves what is not after the end of `other`.
  ///
  /// - Returns: whether anything is left. If not, nothing is changed.
  mutating func come(before other: Place) -> Bool {
    let phase = min(phases.upperBound, other.phases.upperBound)
    let instant = min(span.latest, other.span.latest)
    guard phase >= phases.lowerBound, instant >= span.earliest else { return false }
    phases = phases.lowerBound...phase
    span.latest = instant
    return true
  }
}

/// The phases of a campaign in their order, with what is known of the instants between them.
struct Timeline {
  private(set) var phases: [Phase]

  /// - Parameter acts: in their order, none during another. What comes after a close changes the quota only.
  init(firstQuota: Int, acts: [Act]) {
    phases = [Phase(state: .open, quota: firstQuota, entry: Span(earliest: 0, latest: 0))]
    for act in acts {
      let before = phases[phases.count - 1]
      var state = before.state
      var quota = before.quota
      switch act.kind {
      case .raised(let raised): quota = max(quota, raised)
      case .paused: state = state == .closed ? .closed : .paused
      case .resumed: state = state == .closed ? .closed : .open
      case .closed: state = .closed
      }
      phases.append(Phase(state: state, quota: quota, entry: act.span))
    }
  }

  /// A place of which only the span is known.
  func anywhere(in span: Span) -> Place { Place(phases: 0...phases.count - 1, span: span) }

  /// Leaves of a place what some condition allows; `nil` if nothing is left.
  ///
  /// - Parameter notBefore: the instant from which on it is so in this phase; `nil` where it never is. It does not fall
  ///   from one phase to a later one.
  func narrowed(_ place: Place, notBefore: (Int, Phase) -> UInt64?) -> Place? {
    var result: Place?
    var index = max(place.phases.lowerBound, firstPhase(reaching: place.span.earliest))
    while index <= place.phases.upperBound, phases[index].entry.earliest <= place.span.latest {
      if let instant = notBefore(index, phases[index]) {
        let earliest = max(place.span.earliest, phases[index].entry.earliest, instant)
        let latest = min(place.span.latest, leaves(index))
        if earliest <= latest {
          result = Place(
            phases: (result?.phases.lowerBound ?? index)...index,
            span: Span(earliest: result?.span.earliest ?? earliest, latest: latest))
        }
      }
      index += 1
    }
    return result
  }

  /// Something did take effect there: the first phase was entered by then, and the one after the last not yet.
  mutating func learn(_ place: Place) {
    let first = place.phases.lowerBound
    phases[first].entry.latest = min(phases[first].entry.latest, place.span.latest)
    let next = place.phases.upperBound + 1
    if next < phases.count {
      phases[next].entry.earliest = max(phases[next].entry.earliest, place.span.earliest)
    }
  }

  /// When a phase was over, at the latest.
  private func leaves(_ index: Int) -> UInt64 {
    index + 1 < phases.count ? phases[index + 1].entry.latest : Span.never
  }

  /// The first phase that may not have been over at an instant.
  private func firstPhase(reaching instant: UInt64) -> Int {
    var low = 0
    var high = phases.count - 1
    while low < high {
      let middle = (low + high) / 2
      if leaves(middle) < instant { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
