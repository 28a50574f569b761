"""What reads pages: processes that can be killed, what they are asked, and the pool that asks them."""
