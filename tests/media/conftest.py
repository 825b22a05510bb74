from tests.servers.fixtures import azure, azure_server, s3, s3_server

__all__ = ["azure", "azure_server", "s3", "s3_server"]
