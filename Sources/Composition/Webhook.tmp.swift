package import Issuance

package struct Partners: CodeIssuer {
  package init() {}
  package func ask(_ call: IssuerCall, within deadline: Duration) async -> IssuerAnswer {
    .failure(IssuerFailure(.infrastructure, "no partner can be asked"))
  }
}
