/// One line of a ``HistoryFile``.
enum HistoryLine: Codable {
  case claim(Operation)
  case act(Act)
  case shown(Shown)
  case death(Death)
  case reading(Reading)
  case final(FinalCampaign)

  private enum Kind: String, Codable { case claim, act, shown, death, reading, final }

  private enum Key: String, CodingKey {
    case kind, campaign, user, begun, ended, outcome, seat, body, process, act, to
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private static func keys(of kind: Kind) -> Set<String> {
    switch kind {
    case .claim: ["campaign", "user", "begun", "ended", "outcome", "seat", "body", "process"]
    case .act: ["campaign", "begun", "ended", "act", "to"]
    case .shown: ["campaign", "user", "begun", "ended", "seat", "code"]
    case .death: ["process", "at"]
    case .reading: ["label", "begun", "ended", "campaigns"]
    case .final: ["id", "firstQuota", "quota", "counter", "rows"]
    }
  }

  init(from decoder: any Decoder) throws {
    let line = try decoder.container(keyedBy: Key.self)
    let kind = try line.decode(Kind.self, forKey: .kind)
    for key in try decoder.container(keyedBy: AnyKey.self).allKeys
    where key.stringValue != "kind" && !Self.keys(of: kind).contains(key.stringValue) {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "a \(kind.rawValue) has no key \(key.stringValue)"))
    }
    switch kind {
    case .claim:
      self = .claim(
        Operation(
          campaign: try line.decode(String.self, forKey: .campaign), user: try line.decode(String.self, forKey: .user),
          begun: try line.decode(UInt64.self, forKey: .begun), ended: try line.decode(UInt64.self, forKey: .ended),
          answer: try Self.answer(line), process: try line.decodeIfPresent(String.self, forKey: .process)))
    case .act:
      self = .act(
        Act(
          campaign: try line.decode(String.self, forKey: .campaign),
          begun: try line.decode(UInt64.self, forKey: .begun), ended: try line.decode(UInt64.self, forKey: .ended),
          kind: try Self.act(line)))
    case .shown: self = .shown(try Shown(from: decoder))
    case .death: self = .death(try Death(from: decoder))
    case .reading: self = .reading(try Reading(from: decoder))
    case .final: self = .final(try FinalCampaign(from: decoder))
    }
  }

  private static func answer(_ line: KeyedDecodingContainer<Key>) throws -> Answer {
    let outcome = try line.decode(String.self, forKey: .outcome)
    func yes() throws -> (Int, String) {
      (try line.decode(Int.self, forKey: .seat), try line.decode(String.self, forKey: .body))
    }
    switch outcome {
    case "yes":
      let (seat, body) = try yes()
      return .accepted(seat: seat, body: body)
    case "same":
      let (seat, body) = try yes()
      return .same(seat: seat, body: body)
    case "sold out": return .soldOut
    case "paused": return .paused
    case "closed": return .closed
    case "no": return .nothingHappened
    case "unknown": return .unknown
    default:
      throw DecodingError.dataCorruptedError(forKey: .outcome, in: line, debugDescription: "no outcome is \(outcome)")
    }
  }

  private static func act(_ line: KeyedDecodingContainer<Key>) throws -> Act.Kind {
    let act = try line.decode(String.self, forKey: .act)
    switch act {
    case "raised": return .raised(to: try line.decode(Int.self, forKey: .to))
    case "paused": return .paused
    case "resumed": return .resumed
    case "closed": return .closed
    default: throw DecodingError.dataCorruptedError(forKey: .act, in: line, debugDescription: "no act is \(act)")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var line = encoder.container(keyedBy: Key.self)
    switch self {
    case .claim(let claim):
      try line.encode(Kind.claim, forKey: .kind)
      try line.encode(claim.campaign, forKey: .campaign)
      try line.encode(claim.user, forKey: .user)
      try line.encode(claim.begun, forKey: .begun)
      try line.encode(claim.ended, forKey: .ended)
      try line.encode(claim.answer.outcome, forKey: .outcome)
      try line.encodeIfPresent(claim.answer.yes?.seat, forKey: .seat)
      try line.encodeIfPresent(claim.answer.yes?.body, forKey: .body)
      try line.encodeIfPresent(claim.process, forKey: .process)
    case .act(let act):
      try line.encode(Kind.act, forKey: .kind)
      try line.encode(act.campaign, forKey: .campaign)
      try line.encode(act.begun, forKey: .begun)
      try line.encode(act.ended, forKey: .ended)
      try line.encode(act.kind.word, forKey: .act)
      if case .raised(let quota) = act.kind { try line.encode(quota, forKey: .to) }
    case .shown(let shown): try encode(shown, as: .shown, to: encoder, &line)
    case .death(let death): try encode(death, as: .death, to: encoder, &line)
    case .reading(let reading): try encode(reading, as: .reading, to: encoder, &line)
    case .final(let campaign): try encode(campaign, as: .final, to: encoder, &line)
    }
  }

  private func encode(
    _ value: some Encodable, as kind: Kind, to encoder: any Encoder, _ line: inout KeyedEncodingContainer<Key>
  ) throws {
    try line.encode(kind, forKey: .kind)
    try value.encode(to: encoder)
  }
}

extension Answer {
  fileprivate var outcome: String {
    switch self {
    case .accepted: "yes"
    case .same: "same"
    case .soldOut: "sold out"
    case .paused: "paused"
    case .closed: "closed"
    case .nothingHappened: "no"
    case .unknown: "unknown"
    }
  }
}

extension Act.Kind {
  fileprivate var word: String {
    switch self {
    case .raised: "raised"
    case .paused: "paused"
    case .resumed: "resumed"
    case .closed: "closed"
    }
  }
}
