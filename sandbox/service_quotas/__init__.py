"""Service Quotas, as far as SageMaker's instances go."""

from sandbox.service_quotas.quotas import Quotas
from sandbox.service_quotas.service import ServiceQuotas
from sandbox.service_quotas.table import Usage

__all__ = ["Quotas", "ServiceQuotas", "Usage"]
