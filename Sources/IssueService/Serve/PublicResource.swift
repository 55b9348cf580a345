/// What the public listener has.
package enum PublicResource: Route, Equatable {
  /// The ids are as the client wrote them, percent-decoded; whether they are ids is for who uses them.
  case claims(campaign: String)
  case claim(campaign: String, user: String)
  case campaign(String)
  case contract
  case problems
  case problem(String)

  package init?(segments: [String]) {
    switch segments.count {
    case 1 where segments[0] == "openapi.yaml": self = .contract
    case 1 where segments[0] == "problems": self = .problems
    case 2 where segments[0] == "problems": self = .problem(segments[1])
    case 3... where segments[0] == "v1" && segments[1] == "campaigns":
      switch segments.count {
      case 3: self = .campaign(segments[2])
      case 4 where segments[3] == "claims": self = .claims(campaign: segments[2])
      case 5 where segments[3] == "claims" && !segments[4].isEmpty:
        self = .claim(campaign: segments[2], user: segments[4])
      default: return nil
      }
    default: return nil
    }
  }

  var allowedMethods: [String] {
    switch self {
    case .claims: ["OPTIONS", "POST"]
    case .claim, .campaign, .contract, .problems, .problem: ["GET", "HEAD", "OPTIONS"]
    }
  }

  var mediaType: MediaType {
    switch self {
    case .claims, .claim, .campaign: .json
    case .contract: .yaml
    case .problems, .problem: .markdown
    }
  }
}
