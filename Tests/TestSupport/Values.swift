package import Issuance

extension CampaignID {
  package static let spring = CampaignID("spring")!
  package static let summer = CampaignID("summer")!
}

extension UserID {
  package init(number: Int) { self.init("user-\(number)")! }
}

extension Claim {
  package static func of(_ number: Int, in campaign: CampaignID = .summer, trace: TraceParent? = nil) -> Claim {
    Claim(campaignID: campaign, userID: UserID(number: number), traceParent: trace)
  }
}

extension TraceParent {
  package static let test = TraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")!

  /// A trace of its own for each number from 1 to 255.
  package static func of(_ number: UInt8) -> TraceParent {
    let digits = String(number, radix: 16)
    return TraceParent("00-\(String(repeating: "0", count: 32 - digits.count))\(digits)-00f067aa0ba902b7-00")!
  }
}

extension Operator {
  package static let test = Operator(name: "test", reason: "a test")
}

extension NewCampaign {
  package static func test(
    _ id: CampaignID = .summer, quota: Int = 100, issuer: Issuer = .generated, opensAt: Timestamp? = nil,
    closesAt: Timestamp? = nil, settings: CampaignSettings = CampaignSettings()
  ) -> NewCampaign {
    NewCampaign(
      id: id, name: "", quota: Quota(quota)!, issuer: issuer, opensAt: opensAt, closesAt: closesAt, settings: settings)
  }
}

extension ImportedCode {
  /// `count` codes `PREFIX-1`, `PREFIX-2` and so on.
  package static func codes(_ count: Int, prefix: String = "CODE") -> [ImportedCode] {
    (1...count).map { ImportedCode(line: $0, code: CouponCode("\(prefix)-\($0)")!) }
  }
}

extension RunStart {
  package static func test(_ id: String, scope: CampaignID? = nil) -> RunStart {
    RunStart(id: RunID(id), host: "test", processID: 1, filter: EventFilter(campaign: scope))
  }
}

extension ClaimOutcome {
  /// The seat of a yes, whether given now or before.
  package var seat: Int? {
    switch self {
    case .accepted(let acceptance), .alreadyAccepted(let acceptance): acceptance.seat.number
    case .refused: nil
    }
  }
}
