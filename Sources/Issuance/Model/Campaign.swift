/// One offer with a quota and a time window.
package struct Campaign: Sendable, Equatable {
  /// The state that an operator set. `closed` is final.
  package enum State: String, Sendable, CaseIterable {
    case open, paused, closed
  }

  package let id: CampaignID
  package let name: String
  package let quota: Quota
  /// The number of seats that have been given, 0…quota.
  package private(set) var counter: Int
  package let state: State
  package let issuer: Issuer
  package let opensAt: Timestamp?
  package let closesAt: Timestamp?
  package let createdAt: Timestamp
  package let settings: CampaignSettings

  package init(
    id: CampaignID, name: String, quota: Quota, counter: Int, state: State, issuer: Issuer,
    opensAt: Timestamp?, closesAt: Timestamp?, createdAt: Timestamp, settings: CampaignSettings = CampaignSettings()
  ) {
    self.id = id
    self.name = name
    self.quota = quota
    self.counter = counter
    self.state = state
    self.issuer = issuer
    self.opensAt = opensAt
    self.closesAt = closesAt
    self.createdAt = createdAt
    self.settings = settings
  }

  /// Advances the counter to a given seat. Seats are consecutive.
  package mutating func count(_ seat: Seat) { counter = max(counter, seat.number) }

  /// The state that a claim meets at one instant: the operator's state, the window and the counter combined.
  package enum Phase: Sendable, Equatable {
    case closed
    case scheduled(opensAt: Timestamp)
    case paused
    case soldOut
    case open
  }

  /// The first of closed, not open yet, paused, sold out that holds at `now`; else open.
  package func phase(at now: Timestamp) -> Phase {
    if state == .closed { return .closed }
    if let closesAt, now >= closesAt { return .closed }
    if let opensAt, now < opensAt { return .scheduled(opensAt: opensAt) }
    if state == .paused { return .paused }
    return counter >= quota.count ? .soldOut : .open
  }
}

extension Campaign.Phase {
  /// The word in messages and in the API.
  package var word: String {
    switch self {
    case .closed: "closed"
    case .scheduled: "scheduled"
    case .paused: "paused"
    case .soldOut: "sold_out"
    case .open: "open"
    }
  }
}

/// The source of a coupon's code.
package enum Issuer: String, Sendable, CaseIterable {
  /// Derived from a random key of the campaign and the seat.
  case generated
  /// Imported from an issuer; given to the lowest waiting seat, in the order of import.
  case pool
  /// Requested from an issuer's API, under a lease.
  case webhook
}

/// The settings that an operator may change while a campaign is in progress; `nil` means the default of the programs.
package struct CampaignSettings: Sendable, Equatable {
  /// The URL of the issuer; webhook campaigns only.
  package var webhookURL: String?
  /// Base, cap and maximum number of the attempts at a failed event.
  package var retryBase: Duration?
  package var retryCap: Duration?
  package var maxAttempts: Int?

  package init(
    webhookURL: String? = nil, retryBase: Duration? = nil, retryCap: Duration? = nil, maxAttempts: Int? = nil
  ) {
    self.webhookURL = webhookURL
    self.retryBase = retryBase
    self.retryCap = retryCap
    self.maxAttempts = maxAttempts
  }

  /// The retry policy of this campaign: `policy`, overridden by these settings.
  package func applied(to policy: RetryPolicy) -> RetryPolicy {
    RetryPolicy(
      base: retryBase ?? policy.base, cap: retryCap ?? policy.cap, maxAttempts: maxAttempts ?? policy.maxAttempts,
      maxLapses: policy.maxLapses)
  }

  /// These settings, overridden by the settings that `change` names.
  package func merging(_ change: CampaignSettings) -> CampaignSettings {
    CampaignSettings(
      webhookURL: change.webhookURL ?? webhookURL, retryBase: change.retryBase ?? retryBase,
      retryCap: change.retryCap ?? retryCap, maxAttempts: change.maxAttempts ?? maxAttempts)
  }
}

/// A campaign as stored, with the number of coupons made so far.
package struct CampaignSummary: Sendable, Equatable {
  package let campaign: Campaign
  package let coupons: Int
  /// Codes imported and not yet given to a seat; `nil` if the issuer needs no codes.
  package let freeCodes: Int?
  package let phase: Campaign.Phase

  package init(campaign: Campaign, coupons: Int, freeCodes: Int?, phase: Campaign.Phase) {
    self.campaign = campaign
    self.coupons = coupons
    self.freeCodes = freeCodes
    self.phase = phase
  }
}

package enum CampaignChange: Sendable, Equatable {
  case pause, close
  /// - Parameter reissuingSeats: whether seats with lost acceptances may be given again.
  case resume(reissuingSeats: Bool)
  case raiseQuota(Quota)
  /// Replaces the settings that are not `nil`.
  case configure(CampaignSettings)
}

extension CampaignChange {
  package enum Decision: Sendable, Equatable {
    case inForce
    case refusedClosed
    case refusedLower
    case refusedLostSeats
    case setState(Campaign.State)
    case setQuota(Quota)
    case setSettings(CampaignSettings)
    /// A webhook URL for a campaign with another issuer.
    case refusedNoWebhook
  }

  /// Decides the effect of the change on a campaign. Pure: the store calls it inside its transaction.
  ///
  /// The quota of a closed campaign may rise, on the record, to give a discarded seat again.
  ///
  /// - Parameter hasLostSeats: whether the campaign has lost seats that were not released again.
  package func decide(on campaign: Campaign, hasLostSeats: Bool) -> Decision {
    switch self {
    case .close: campaign.state == .closed ? .inForce : .setState(.closed)
    case .pause:
      switch campaign.state {
      case .closed: .refusedClosed
      case .paused: .inForce
      case .open: .setState(.paused)
      }
    case .resume(let reissuingSeats):
      switch campaign.state {
      case .closed: .refusedClosed
      case .open: .inForce
      case .paused: hasLostSeats && !reissuingSeats ? .refusedLostSeats : .setState(.open)
      }
    case .raiseQuota(let quota):
      if quota < campaign.quota {
        .refusedLower
      } else {
        quota == campaign.quota ? .inForce : .setQuota(quota)
      }
    case .configure(let change):
      if change.webhookURL != nil, campaign.issuer != .webhook {
        .refusedNoWebhook
      } else {
        campaign.settings.merging(change) == campaign.settings
          ? .inForce : .setSettings(campaign.settings.merging(change))
      }
    }
  }
}
