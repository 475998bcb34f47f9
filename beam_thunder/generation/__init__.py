"""Models answer questions: requests, servers, and the answers that are kept."""
