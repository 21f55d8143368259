// Package account asks the CRE platform's GraphQL API who a credential belongs
// to and which tenant it works in.
package account

import (
	"context"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

const maxText = 512 // characters of any one string from the platform

const (
	whoAmIQuery  = `query { getAccountDetails { emailAddress } getOrganization { displayName organizationId } }`
	whoAmIAPIKey = `query { getOrganization { displayName organizationId } }`
	tenantQuery  = `query { getTenantConfig { tenantId defaultDonFamily vaultGatewayUrl
  capabilitiesRegistry { chainSelector address }
  registries { id label type chainSelector address secretsAuthFlows }
  forwarders { chainSelector address } } }`
)

// Account is who a credential belongs to. All of it is fit to be shown.
type Account struct {
	Email            string // empty for an API key: it belongs to no person
	OrganizationName string
	OrganizationID   string
}

// WhoAmI returns the account that cred belongs to. An API key may not ask for
// a person, so that it gets the organization only. Its errors are those of
// [Client].
func (c Client) WhoAmI(ctx context.Context, cred helper.Credential) (Account, error) {
	query := whoAmIQuery
	if cred.AuthType == helper.AuthAPIKey {
		query = whoAmIAPIKey
	}
	var data struct {
		GetAccountDetails struct{ EmailAddress text }
		GetOrganization   struct{ DisplayName, OrganizationID text }
	}
	if err := c.ask(ctx, cred, query, &data); err != nil {
		return Account{}, err
	}
	account := Account{
		Email:            string(data.GetAccountDetails.EmailAddress),
		OrganizationName: string(data.GetOrganization.DisplayName),
		OrganizationID:   string(data.GetOrganization.OrganizationID),
	}
	if account.OrganizationID == "" {
		return Account{}, useless(web.HostOf(c.URL))
	}
	return account, nil
}

// TenantConfig returns what context.yaml keeps about cred's tenant. Its errors
// are those of [Client].
func (c Client) TenantConfig(ctx context.Context, cred helper.Credential) (fallback.Tenant, error) {
	var data struct{ GetTenantConfig *tenantConfig }
	if err := c.ask(ctx, cred, tenantQuery, &data); err != nil {
		return fallback.Tenant{}, err
	}
	if data.GetTenantConfig == nil {
		return fallback.Tenant{}, useless(web.HostOf(c.URL))
	}
	return data.GetTenantConfig.tenant(), nil
}
